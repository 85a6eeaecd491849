import Foundation
import SparPipeline

/// Names for runs that are compared without a sweep: arms are the settings in which they differ,
/// runs that differ in their seed alone repeat one arm.
struct ArmNaming {
  private(set) var axes: [SweepRecord.Axis] = []
  private(set) var ids: [String]
  private(set) var arms: [String] = []
  private(set) var values: [[String: String]] = []
  private(set) var replicates: [String] = []

  /// More settings than these make no readable name; the folder does.
  private static let mostSettings = 3
  private static let seed = "seed"

  var title: String {
    ids.count == 1 ? "Run \(ids[0])" : "Runs " + ids.joined(separator: ", ")
  }

  init(_ runs: [RunResult]) {
    ids = Self.folderNames(runs.map(\.path))
    let names = Set(runs.flatMap { $0.record.map { Array($0.settings.keys) } ?? [] }).sorted()
    let differing = names.filter { name in
      // The folder differs always; what changes only speed is kept, since someone compares that.
      name != "output_dir" && Set(runs.map { $0.setting(name) }).count > 1
    }
    let makesArms = differing.filter { $0 != Self.seed }
    for name in differing {
      var known: [String] = []
      for value in runs.compactMap({ $0.setting(name) }) where !known.contains(value) {
        known.append(value)
      }
      axes.append(.init(name: name, values: known, replicate: name == Self.seed))
    }
    for run in runs {
      let own = differing.compactMap { name in run.setting(name).map { (name, $0) } }
      values.append(Dictionary(own, uniquingKeysWith: { first, _ in first }))
      replicates.append(run.setting(Self.seed) ?? "")
    }
    let byValues = values.map { own in
      makesArms.compactMap { name in own[name].map { "\(name)=\($0)" } }.joined(separator: " ")
    }
    name(byValues, few: makesArms.count <= Self.mostSettings)
  }

  private mutating func name(_ byValues: [String], few: Bool) {
    // Two runs of the same settings and seed are no replicates: they would count one twice.
    let marks = zip(byValues, replicates).map { "\($0)\n\($1)" }
    let isRepeated = Set(marks).count < marks.count
    arms = byValues.indices.map { place in
      if isRepeated { return ids[place] }
      if few, !byValues[place].isEmpty { return byValues[place] }
      // The first run of the arm lends its folder's name.
      let first = byValues.firstIndex(of: byValues[place]) ?? place
      return ids[first]
    }
    guard isRepeated || !few else { return }
    // Arms that go by their folder are no combinations of axes.
    axes = axes.filter(\.replicate)
  }

  /// The last part of each path, with as many parts before it as tell them apart.
  static func folderNames(_ paths: [String]) -> [String] {
    let parts = paths.map { path in
      URL(fileURLWithPath: path).standardizedFileURL.path.split(separator: "/").map(String.init)
    }
    let deepest = parts.map(\.count).max() ?? 1
    for depth in 1...max(deepest, 1) {
      let names = parts.map { $0.suffix(depth).joined(separator: "/") }
      if Set(names).count == names.count { return names }
    }
    return paths
  }
}
