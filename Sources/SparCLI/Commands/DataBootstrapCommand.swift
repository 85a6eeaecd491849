import ArgumentParser
import Foundation
import SparGeneration
import SparPipeline
import SparRankerTraining

struct DataBootstrapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bootstrap",
    abstract: "Make comparisons for a ranker from a model's own answers.",
    discussion: """
      Answers every prompt and sets the answer against spoiled ones: a good answer to another prompt, \
      the answer cut, shuffled or repeating itself, and what the model says at a high temperature. \
      The rows (prompt, chosen, rejected, and the kind as subset) are what `spar train-ranker` and \
      `spar evaluate-ranker` read: OUTPUT_DIR/comparisons.jsonl, and heldout.jsonl of the last prompts. \
      The same command gives the same rows; stopped, it goes on (docs/train-ranker.md).
      """)

  @Argument(help: "Prompts: a file, a folder, a pattern or a mixture.", completion: .file())
  var prompts: String

  @Option(help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
  var model: String

  @Option(help: "Folder for answers and comparisons.", completion: .directory)
  var outputDir = "bootstrap"

  @Option(help: "The first so many prompts; 0 = all.")
  var count = BootstrapOptions().count

  @Option(help: "Most tokens of an answer.")
  var maxNewTokens = BootstrapOptions().maxNewTokens

  @Option(help: "Temperature of good answers; 0 = greedy.")
  var temperature = BootstrapOptions().temperature

  @Option(help: "Temperature of derailed answers. (default: 1.2)")
  var derailTemperature: Double?

  @Option(help: "Share of the prompts, from the end, that is held out; 0 = none.")
  var heldoutShare = BootstrapOptions().heldoutShare

  @Option(
    help: ArgumentHelp(
      "Comma-separated: other-prompt, cut, shuffled, repeated, derailed. (default: all)",
      valueName: "kinds"))
  var kinds: String?

  @Option(help: "Of sampling, of what is spoiled and how.")
  var seed: UInt64 = 42

  @OptionGroup var common: CommonOptions

  private struct Result: Encodable {
    var comparisons: String
    var heldout: String?
    var prompts: Int
    var training: [String: Int]
    var heldoutCounts: [String: Int]
    var skipped: [String: Int]
  }

  private func options() throws -> BootstrapOptions {
    var options = BootstrapOptions()
    options.count = count
    options.maxNewTokens = maxNewTokens
    options.temperature = temperature
    options.heldoutShare = heldoutShare
    options.seed = seed
    if let kinds {
      options.kinds = try kinds.split(separator: ",").map { word in
        guard let kind = Corruption(rawValue: String(word)) else {
          throw UsageError(
            "--kinds: there is no \"\(word)\"; known: "
              + Corruption.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return kind
      }
    }
    if let derailTemperature {
      guard options.kinds.contains(.derailed) else {
        throw UsageError("--derail-temperature is for derailed answers, which --kinds leaves out")
      }
      options.derailTemperature = derailTemperature
    }
    try options.validate()
    return options
  }

  func run() throws {
    let options = try options()
    let read = try Prompt.read(prompts)
    let runtime = try common.runtime()
    let line = ProgressLine()
    defer { line.finish() }
    try FileManager.default.createDirectory(atPath: outputDir, withIntermediateDirectories: true)
    let summary = try BootstrapRun(
      runtime.model(model), options, threads: runtime.threads
    ).run(
      prompts: read, source: prompts, folder: outputDir, progress: line.stage("bootstrap"),
      cancelled: { Interrupts.interruption.isRequested })
    line.finish()
    func named(_ counts: [Corruption: Int]) -> [String: Int] {
      Dictionary(counts.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: +)
    }
    guard !common.json else {
      return try Terminal.json(
        Result(
          comparisons: summary.path, heldout: summary.heldoutPath, prompts: summary.prompts,
          training: named(summary.training), heldoutCounts: named(summary.heldout),
          skipped: summary.skipped))
    }
    try Terminal.line(
      "\(summary.path): \(summary.trainingCount) comparisons of \(summary.prompts) prompts")
    if let heldout = summary.heldoutPath {
      try Terminal.line("\(heldout): \(summary.heldoutCount) comparisons")
    }
    for (reason, count) in summary.skipped.sorted(by: { $0.key < $1.key }) {
      try Terminal.line("\(count) \(reason)")
    }
  }
}
