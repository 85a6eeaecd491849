import Foundation

/// Where a run is to be taken up anew: its own ranker or a stage of an iteration; it and all later
/// work go.
public struct RestartPoint: Equatable, Sendable {
  /// Counts from 1.
  public var iteration: Int
  public var stage: RunStage
  /// The run's own ranker goes, too, and with it all that it ranked.
  public var includesRanker = false

  /// Reads `ranker`, `train` (of iteration 1) or `2/train`.
  public init(_ text: String) throws(RunError) {
    if text == "ranker" {
      (iteration, stage, includesRanker) = (1, .rank, true)
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let last = parts.last, let stage = RunStage(rawValue: String(last)), parts.count <= 2
    else { throw .restart(text: text) }
    self.stage = stage
    guard parts.count == 2 else {
      iteration = 1
      return
    }
    guard let t = Int(parts[0]), t >= 1 else { throw .restart(text: text) }
    iteration = t
  }

  /// Removes what this stage and those after it left in `directory`.
  public func clear(_ directory: RunDirectory) throws {
    let files = FileManager.default
    if includesRanker { try FileTree.remove(directory.ranker.path) }
    var t = iteration
    while files.fileExists(atPath: directory.iteration(t).path) {
      let folder = directory.iteration(t)
      if t > iteration {
        try files.removeItem(atPath: folder.path)
      } else {
        try clear(folder)
      }
      t += 1
    }
    if files.fileExists(atPath: directory.report) {
      try files.removeItem(atPath: directory.report)
    }
  }

  private func clear(_ folder: RunDirectory.Folder) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let judged = names.filter { $0.hasPrefix("evaluation-") && $0.hasSuffix(".json") }
    let outputs: [(stage: RunStage, names: [String], paths: [String])] = [
      (.generate, ["generate"], [folder.prompts, folder.candidates]),
      (.rank, ["rank"], [folder.preferences]),
      (.train, ["train"], [folder.training]),
      (
        .evaluate, ["heldout", "evaluate"],
        [folder.heldout, folder.evaluation] + judged.map { folder.path + "/" + $0 }
      ),
    ]
    let later = outputs.drop { $0.stage != stage }
    for path in later.flatMap(\.paths).flatMap({ [$0, $0 + ".journal"] }) {
      // Of a stage in a store only the link goes.
      try FileTree.remove(path)
    }
    guard FileManager.default.fileExists(atPath: folder.ledger) else { return }
    var ledger = try StageLedger(path: folder.ledger)
    // Whatever is cut away, the evaluations at the end of an iteration are.
    let checks = ledger.all.keys.filter { $0.hasPrefix(RunTarget.check) }
    try ledger.forget(later.flatMap(\.names) + checks)
  }
}
