import SparPipeline
import SparStore

/// What `--plan` shows: the points, the stages that they share, and the time to expect.
public struct SweepOutline: Codable, Equatable, Sendable {
  public struct Point: Codable, Equatable, Sendable {
    public var id: String
    public var arm: String
    /// `name=value` of all axes, in their order.
    public var text: String
    public var values: [String: String]
    public var isDone: Bool
  }
  public struct Stages: Codable, Equatable, Sendable {
    public var stage: String
    /// Summed over all points.
    public var needed: Int
    /// Different ones.
    public var distinct: Int
    /// Of these, how many an earlier run has left.
    public var stored: Int
    /// Seconds for the rest.
    public var seconds: Double
  }
  public var folder: String
  public var points: [Point]
  public var stages: [Stages]
  public var seconds: Double
  public var source: String
  public var baseline: String?
  /// Of one point at its highest.
  public var memoryBytes: Double
  public var jobs: Int

  public init(_ plan: SweepPlan, store: StageStore?, costs: StageCosts, wantedJobs: Int) throws {
    folder = plan.folder
    baseline = plan.baseline
    points = try plan.points.map { point in
      let directory = RunDirectory("\(plan.folder)/\(point.folder)")
      let isDone = try store.map { try point.plan.isComplete(in: directory, store: $0) }
      return Point(
        id: point.id, arm: point.arm, text: point.cell.text, values: point.values,
        isDone: isDone ?? false)
    }
    stages = []
    for (stage, users) in plan.stages {
      let name = stage.address.stage
      let isStored = try store?.entry(stage.address) != nil
      let at = stages.firstIndex { $0.stage == name } ?? stages.count
      if at == stages.count {
        stages.append(Stages(stage: name, needed: 0, distinct: 0, stored: 0, seconds: 0))
      }
      stages[at].needed += users.count
      stages[at].distinct += 1
      if isStored {
        stages[at].stored += 1
      } else {
        stages[at].seconds += costs.seconds(
          stage, parameters: plan.points[users[0]].plan.parameters)
      }
    }
    seconds = stages.reduce(0) { $0 + $1.seconds }
    source = costs.source
    memoryBytes =
      plan.points.map { PointMemory.bytes($0.resolved.recipe, $0.plan) }.max() ?? 0
    jobs = try SweepRun.jobs(plan, wanted: wantedJobs)
  }

  /// - Parameter columns: lays rows out side by side.
  public func lines(_ columns: ([[String]]) -> [String]) -> [String] {
    var lines = columns(
      [["point", "", "values"]]
        + points.map { point in
          [
            point.id, point.isDone ? "done" : "",
            point.text,
          ]
        })
    lines += [""]
    lines += columns(
      [["stage", "needed", "computed", "shared", "in store", "estimate"]]
        + stages.map { row in
          [
            row.stage, "\(row.needed)", "\(row.distinct - row.stored)",
            "\(row.needed - row.distinct)", "\(row.stored)", RunReport.duration(row.seconds),
          ]
        })
    let gigabytes = (memoryBytes / 1e8).rounded() / 10
    lines += [
      "",
      "estimated time: \(RunReport.duration(seconds)), from \(source)",
      "memory: about \(gigabytes) GB a point; \(jobs) at a time",
    ]
    if let baseline { lines.append("baseline: \(baseline)") }
    return lines
  }
}
