import ArgumentParser
import SparPipeline

struct BenchGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Sampling: tokens/s of prompts and of answers, many sequences together.")

  @Option(help: "The model that answers.", completion: .file())
  var model = "smollm2-135m"

  @Option(help: "Sequences decoded together.")
  var batch = 40

  @Option(help: "Tokens of each answer.")
  var newTokens = 64

  @Option(help: "Repetitions that are measured, after one that is not.")
  var repetitions = 3

  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  func validate() throws {
    for (name, value, least) in [
      ("batch", batch, 1), ("new-tokens", newTokens, 2), ("repetitions", repetitions, 1),
    ] where value < least {
      throw ValidationError("--\(name) is \(value); it must be at least \(least)")
    }
  }

  func run() throws {
    let runtime = try common.runtime(storage)
    let policy = try runtime.model(model)
    let result = try GenerateBenchmark.run(
      policy, sequences: batch, newTokens: newTokens, repetitions: repetitions,
      threads: runtime.threads,
      progress: { Terminal.error("bench generate: repetition \($0) of \(repetitions)") })
    let title =
      "backend \(result.backend), \(result.threads) threads, \(result.sequences) sequences "
      + "together, prompts of \(result.promptTokens), answers of \(result.newTokens) tokens; "
      + "tokens/s, median (min – max)"
    let rows = [
      [
        "  answers",
        Figures.spread(result.decodeMedian, result.decodeMinimum, result.decodeMaximum),
      ],
      ["  prompts", Figures.one(result.prefillMedian)],
      ["  peak memory", Figures.scaled(Double(result.peakMemoryBytes), "B")],
    ]
    try Terminal.result(
      result, lines: [title] + Terminal.columns(rows), of: runtime.backend, json: common.json)
  }
}
