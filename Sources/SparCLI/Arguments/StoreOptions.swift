import ArgumentParser
import Foundation
import SparPipeline

/// How a run shares stages with others, and how a sweep follows it.
struct StoreOptions: ParsableArguments {
  static let names: Set = ["store", "until", "label", "stage-log", "child-of"]

  @Option(
    help: ArgumentHelp(
      "Share finished stages with other runs through this folder; the run then holds links into it.",
      valueName: "folder"),
    completion: .directory)
  var store: String?

  @Option(
    help: ArgumentHelp(
      "Do this stage, and what it needs, then stop: base, bootstrap, train-ranker, evaluate-ranker, "
        + "or [iteration/]generate, rank, train, heldout, evaluate, check-RANKER.",
      valueName: "[iteration/]stage"))
  var until: String?

  @Option(help: .hidden) var label: String?
  @Option(help: .hidden) var stageLog: String?
  /// Set by a sweep: its process id.
  @Option(help: .hidden) var childOf: Int32?

  func sharing(_ recipe: Recipe) throws -> StageSharing? {
    try store.map {
      StageSharing(store: try StageStore($0), label: label ?? recipe.run.outputDir, log: stageLog)
    }
  }

  /// Ends this process, at once, when the sweep that started it is gone: nobody would take up what
  /// it makes, and its locks would be in the way of the next sweep.
  func followParent() {
    guard let childOf else { return }
    let watcher = Thread {
      while getppid() == childOf { usleep(50_000) }
      kill(getpid(), SIGKILL)
    }
    watcher.stackSize = 1 << 16
    watcher.start()
  }

  /// Where progress goes: a bar for people, JSON lines for a sweep.
  func progress(_ line: ProgressLine) -> (RunProgress.Snapshot) -> Void {
    guard childOf != nil else { return line.show }
    var last: ContinuousClock.Instant?
    return { moment in
      let now = ContinuousClock.now
      if let last, (now - last) / .seconds(1) < 0.25 { return }
      last = now
      do {
        try Terminal.json(moment)
      } catch {
        Terminal.error("spar: progress is not taken: \(error)")
      }
    }
  }
}
