import ArgumentParser
import SparPipeline

struct BenchTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Training steps: tokens/s, and the share of the machine's own sgemm rate.",
    discussion: """
      A group is one prompt and two answers, packed, of random tokens. share = 6 · parameters · \
      tokens/s ÷ the rate of square products of 2048, measured before and after the steps.
      """)

  @Option(help: "The model that is trained (in memory only).", completion: .file())
  var model = "smollm2-135m"

  @Option(help: "The objective plugin, with its defaults.")
  var objective = Recipe().objective.name

  @Option(help: "Groups of one optimizer step.")
  var groups = 4

  @Option(help: "Steps that are measured, after one that is not.")
  var steps = 8

  @OptionGroup var common: CommonOptions

  func validate() throws {
    for (name, value) in [("groups", groups), ("steps", steps)] where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
  }

  func run() throws {
    let runtime = try common.runtime()
    let objective = try runtime.objective(PluginChoice(objective))
    let line = ProgressLine()
    defer { line.finish() }
    let result = try TrainBenchmark.run(
      runtime.model(model), objective: objective, groupsPerStep: groups, steps: steps,
      threads: runtime.threads, progress: line.stage("bench train"))
    line.finish()
    let title =
      "backend \(result.backend), \(result.threads) threads, objective \(result.objective), "
      + "\(Figures.scaled(Double(result.parameters)))parameters, \(result.groupsPerStep) groups "
      + "of \(result.tokensPerGroup) tokens a step; median (min – max)"
    let rows = [
      ["  tokens/s", Figures.spread(result.median, result.minimum, result.maximum)],
      ["  GFLOP/s, 6 N a token", Figures.one(result.rate)],
    ]
    try Terminal.result(
      Shown(result), lines: [title] + Terminal.columns(rows + result.shareRows),
      of: runtime.backend,
      json: common.json)
  }

  /// The measurement with what follows from it.
  private struct Shown: Encodable {
    var measured: TrainBenchmark
    var gflops: Double
    var share: Double

    init(_ measured: TrainBenchmark) {
      self.measured = measured
      gflops = measured.rate
      share = measured.share
    }
  }
}
