import Foundation
import SparHost
import SparPipeline
import SparStore
import SparText

/// All points of a sweep, decoded and checked, with the stages that each needs.
public struct SweepPlan: Sendable {
  public struct Point: Sendable {
    public var id: String
    public var arm: String
    public var cell: Grid.Cell
    public var resolved: ResolvedRecipe
    public var plan: RunPlan

    public var folder: String { "points/\(id)" }
    public var values: [String: String] {
      Dictionary(cell.values.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
  }

  public let folder: String
  public let axes: [SweepRecord.Axis]
  public let points: [Point]
  public let baseline: String?
  /// What all points have in common, and what is known of files and plugins by digest.
  public let settings: [String: String]

  /// Checks every point; nothing is computed or written.
  ///
  /// - Parameters:
  ///   - base: recipe, `--set` and flags, whose output_dir is the sweep's folder.
  ///   - baseline: an arm, or nil for the recipe's.
  ///   - backend: what computes a point, by the setting `backend`.
  public init(
    _ base: ResolvedRecipe, vary block: VaryBlock, recipe: String, baseline: String?,
    host: PluginHost, backend: (String) throws -> PluginComponent
  ) throws {
    guard !block.isEmpty else { throw SweepError.nothingVaries(recipe: recipe) }
    let rows = Dictionary(base.rows.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    let grid = try Grid(block) { rows[$0] }
    for (name, _) in grid.axes {
      switch base.origin(of: name) {
      case .set, .flag:
        throw SweepError.axisIsSet(axis: name, by: "\(base.origin(of: name))")
      case .preset, .recipe, .recipePreset, .axis: break
      }
    }
    folder = RunDirectory(base.recipe.run.outputDir).root
    axes = grid.axes.map {
      .init(name: $0.name, values: $0.values, replicate: grid.replicates.contains($0.name))
    }
    let earlier = try SweepRecord.read(folder)
    var ids = PointNames(earlier)
    var digests: [String: String] = [:]
    var seen: [[StageAddress]: Grid.Cell] = [:]
    var facts: [String: String] = [:]
    var points: [Point] = []
    for cell in grid.cells {
      do {
        var resolved = base
        try resolved.apply(axes: cell.values)
        let inputs = try RunInputs(resolved, host: host)
        try inputs.checkThoroughly(host: host)
        let component = try backend(resolved.recipe.run.backend)
        let plan = try RunPlan(inputs, host: host, backend: component, digests: &digests)
        for (name, value) in try inputs.facts() { facts[name] = value }
        let addresses = plan.stages.map(\.address)
        if let twin = seen.updateValue(cell, forKey: addresses) {
          throw SweepError.samePoints(first: twin.text, second: cell.text)
        }
        let id = ids.next(
          Dictionary(cell.values.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }))
        points.append(
          Point(id: id, arm: grid.arm(cell), cell: cell, resolved: resolved, plan: plan))
      } catch let error as SweepError {
        throw error
      } catch {
        throw SweepError.point(values: cell.text, problem: "\(error)")
      }
    }
    self.points = points.sorted { PointNames.number($0.id) < PointNames.number($1.id) }
    var settings = facts
    for (model, digest) in digests { settings["content of \(model)"] = digest }
    let varied = Set(grid.axes.map(\.name)).union(Self.free)
    for row in base.rows where !varied.contains(row.name) { settings[row.name] = row.value }
    self.settings = settings
    self.baseline = try Self.arm(baseline ?? block.baseline, among: self.points.map(\.arm))
  }

  /// What changes speed or what is shown, and no result.
  private static let free: Set = [
    "output_dir", "threads", "generate.batch_size", "train.logging_steps", "train.save_steps",
    "train.save_total_limit", "evaluate.examples",
  ]

  /// The arm that a user means: all of its `name=value`, in any order, or enough to tell it.
  private static func arm(_ text: String?, among arms: [String]) throws -> String? {
    guard let text else { return nil }
    var known: [String] = []
    for arm in arms where !known.contains(arm) { known.append(arm) }
    if known.contains(text) { return text }
    var wanted: [(String, String)] = []
    for part in text.split(separator: " ") {
      let assignment = try ResolvedRecipe.Assignment(String(part))
      wanted.append(
        (SettingTable.find(assignment.key)?.name ?? assignment.key, assignment.value))
    }
    let fitting = known.filter { arm in
      let parts = arm.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1) }
      return wanted.allSatisfy { name, value in
        parts.contains {
          $0.count == 2 && $0[0] == name && AxisValues.same(String($0[1]), value)
        }
      }
    }
    guard fitting.count == 1 else {
      throw SweepError.unknownArm(
        text: text, arms: known, nearest: NearestName.of(text, among: known))
    }
    return fitting[0]
  }

  /// Every stage once, in an order in which inputs come first, with the points that use it.
  public var stages: [(stage: RunPlan.Stage, users: [Int])] {
    var order: [RunPlan.Stage] = []
    var users: [StageAddress: [Int]] = [:]
    for (index, point) in points.enumerated() {
      for stage in point.plan.stages {
        if users[stage.address] == nil { order.append(stage) }
        users[stage.address, default: []].append(index)
      }
    }
    return order.map { ($0, users[$0.address] ?? []) }
  }

  /// sweep.json before anything has run.
  func record(recipe: String, command: [String]) -> SweepRecord {
    SweepRecord(
      name: (folder as NSString).lastPathComponent, recipe: recipe, command: command, axes: axes,
      baseline: baseline, settings: settings,
      points: points.map {
        .init(
          id: $0.id, arm: $0.arm, values: $0.values, folder: $0.folder, status: .pending)
      }, stages: [])
  }
}

/// p01, p02, …: a point keeps its name when values are added to the sweep.
private struct PointNames {
  private var known: [[String: String]: String] = [:]
  private var last = 0

  init(_ earlier: SweepRecord?) {
    for point in earlier?.points ?? [] {
      known[point.values] = point.id
      last = max(last, Self.number(point.id))
    }
  }

  mutating func next(_ values: [String: String]) -> String {
    if let id = known[values] { return id }
    last += 1
    return last < 10 ? "p0\(last)" : "p\(last)"
  }

  static func number(_ id: String) -> Int { Int(id.dropFirst()) ?? 0 }
}
