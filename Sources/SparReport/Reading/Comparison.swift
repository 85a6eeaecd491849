import SparPipeline

/// What a report is about: points (runs), grouped into arms that differ in settings.
///
/// Points of one arm repeat it: they differ in replicate axes (seeds) alone.
public struct Comparison: Equatable, Sendable {
  public struct Point: Equatable, Sendable {
    public var id: String
    public var arm: String
    /// The value of each axis that applies.
    public var values: [String: String]
    /// The values of the replicate axes, joined: what pairs points of different arms.
    public var replicate: String
    public var status: SweepRecord.Status
    public var error: String?
    public var seconds: Double?
    public var result: RunResult

    /// Whether it belongs into the table of final results.
    public var isComplete: Bool { result.isComplete }
  }

  public struct Arm: Equatable, Sendable {
    public var name: String
    /// Short enough for a legend: the values alone.
    public var label: String
    public var values: [String: String]
    /// Places in `Comparison.points`.
    public var points: [Int]
  }

  public var title: String
  public var axes: [SweepRecord.Axis]
  public var points: [Point]
  public var arms: [Arm]
  /// Place in `arms`; nil for a single arm.
  public var baseline: Int?
  /// Nil when runs were given rather than a sweep.
  public var sweep: SweepRecord?

  /// Axes that make arms.
  public var armAxes: [SweepRecord.Axis] { axes.filter { !$0.replicate } }

  public func points(of arm: Arm) -> [Point] { arm.points.map { points[$0] } }

  /// The finished points of an arm.
  public func complete(_ arm: Arm) -> [Point] { points(of: arm).filter(\.isComplete) }

  /// - Parameters:
  ///   - baseline: an arm's name, label or point; nil = what the sweep says, else the first arm.
  /// - Throws: `ReportError.baseline` for an arm that is not there.
  init(
    title: String, axes: [SweepRecord.Axis], points: [Point], baseline: String?,
    sweep: SweepRecord? = nil
  ) throws {
    self.title = title
    self.axes = axes
    self.points = points
    self.sweep = sweep
    arms = []
    for (place, point) in points.enumerated() {
      if let known = arms.firstIndex(where: { $0.name == point.arm }) {
        arms[known].points.append(place)
      } else {
        let values = point.values.filter { name, _ in
          !axes.contains { $0.name == name && $0.replicate }
        }
        arms.append(Arm(name: point.arm, label: point.arm, values: values, points: [place]))
      }
    }
    label()
    self.baseline = try place(ofBaseline: baseline)
  }

  /// The values in the order of the axes say enough beside a heading that names the axes.
  private mutating func label() {
    let labels = arms.map { arm in
      armAxes.compactMap { arm.values[$0.name] }.map { $0.isEmpty ? "(none)" : $0 }
        .joined(separator: " · ")
    }
    guard Set(labels).count == arms.count, !labels.contains("") else { return }
    for place in arms.indices { arms[place].label = labels[place] }
  }

  private func place(ofBaseline name: String?) throws(ReportError) -> Int? {
    guard let name else { return arms.count > 1 ? 0 : nil }
    func place(_ name: String) -> Int? {
      arms.firstIndex { arm in
        arm.name == name || arm.label == name || points(of: arm).contains { $0.id == name }
      }
    }
    if let found = place(name) { return found }
    let known = arms.map(\.label)
    throw .baseline(
      name: name, known: known, nearest: Self.nearest(name, among: known + arms.map(\.name)))
  }
}
