import ArgumentParser
import SparGeneration
import SparPipeline
import SparText

struct BenchGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Sampling: tokens/s of prompts and of answers, many sequences together.",
    discussion: """
      Prompts are first answered with one token each, which gives the rate of reading prompts; that \
      time is taken off the time of whole answers.
      """)

  @Option(help: "The model that answers.", completion: .file())
  var model = "smollm2-135m"

  @Option(help: "Prompts as JSON lines, instead of synthetic ones.", completion: .file())
  var prompts: String?

  @Option(help: "Sequences decoded together.")
  var batch = 40

  @Option(help: "Answers per prompt.")
  var pairs = 5

  @Option(help: "Synthetic prompts.")
  var count = 16

  @Option(help: "Most tokens of an answer.")
  var maxNewTokens = 64

  @Option(help: "Repetitions.")
  var runs = 3

  @OptionGroup var common: CommonOptions

  private struct Result: Encodable {
    var backend: String
    var machine: Machine
    var batch: Int
    var sequences: Int
    var promptTokens: Int
    var answerTokens: Int
    var prefillTokensPerSecond: Spread
    var decodeTokensPerSecond: Spread
    /// Answer tokens by the whole time, prompts included.
    var tokensPerSecond: Spread
    var peakMemoryBytes: UInt64
  }

  func validate() throws {
    for (name, value) in [
      ("batch", batch), ("pairs", pairs), ("count", count), ("runs", runs),
    ] where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
    if maxNewTokens < 2 {
      throw ValidationError("--max-new-tokens is \(maxNewTokens); it must be at least 2")
    }
  }

  func run() throws {
    let asked = try prompts.map { try Prompt.read($0) } ?? synthetic()
    let runtime = try common.runtime()
    let policy = try runtime.model(model)
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let line = ProgressLine()
    defer { line.finish() }
    func answer(_ tokens: Int, run: Int) throws -> GenerationSummary {
      var options = GenerationOptions()
      options.pairs = pairs
      options.batchSize = batch
      options.maxNewTokens = tokens
      options.iteration = run
      return try GenerationStage(policy, options, threads: runtime.threads).run(
        prompts: asked, source: prompts ?? "synthetic prompts",
        output: folder.path + "/candidates.h5", progress: line.stage("bench generate"),
        cancelled: { Interrupts.interruption.isRequested })
    }
    _ = try answer(2, run: 0)
    var (prefill, decode, whole): ([Double], [Double], [Double]) = ([], [], [])
    var last = GenerationSummary()
    for run in 1...runs {
      let first = try answer(1, run: run)
      prefill.append(Double(first.prefilledTokens) / first.seconds)
      last = try answer(maxNewTokens, run: run)
      let time = max(last.seconds - first.seconds, 1e-9)
      decode.append(Double(last.tokens - first.tokens) / time)
      whole.append(last.tokensPerSecond)
    }
    line.finish()
    let result = Result(
      backend: runtime.backend.name, machine: .current(threads: runtime.threads), batch: batch,
      sequences: last.answers, promptTokens: last.prefilledTokens, answerTokens: last.tokens,
      prefillTokensPerSecond: Spread(prefill), decodeTokensPerSecond: Spread(decode),
      tokensPerSecond: Spread(whole), peakMemoryBytes: Machine.peakMemory())
    if common.json { return try Terminal.json(result) }
    try Terminal.line(
      "backend \(result.backend), \(runtime.threads) threads, \(result.sequences) sequences, "
        + "\(batch) together, \(result.promptTokens) prompt and \(result.answerTokens) answer "
        + "tokens; tokens/s, median (min – max)")
    let rows = [
      ["  prompts", result.prefillTokensPerSecond.text],
      ["  answers", result.decodeTokensPerSecond.text],
      ["  answers, prompts included", result.tokensPerSecond.text],
      ["  peak memory", Figures.scaled(Double(result.peakMemoryBytes), "B")],
    ]
    for text in Terminal.columns(rows) { try Terminal.line(text) }
  }

  /// About 40 tokens each with the template; long answers are asked for.
  private func synthetic() -> [Prompt] {
    let subjects = [
      "the sea", "bread", "railways", "winter", "the heart", "money", "glass", "birds", "chess",
      "mountains", "clocks", "rain", "the moon", "paper", "bridges", "salt",
    ]
    return (0..<count).map { index in
      let subject = subjects[index % subjects.count]
      return Prompt(
        index: index, id: "\(index)",
        messages: [
          ChatMessage(
            role: "user",
            content: "Write a long and detailed essay about \(subject), in many paragraphs.")
        ])
    }
  }
}
