import ArgumentParser
import SparModel
import SparPipeline

struct BenchRank: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rank",
    abstract: "Pair ranking: full tables of a cross-encoder, every ordered pair of K answers.",
    discussion: """
      Sequences are random tokens in PairRM's layout. share = operations of the layers' dense \
      products ÷ time ÷ the rate of square products of 2048, measured before and after; attention \
      is not counted, so its time lowers the share.
      """)

  @Option(
    help: "Folder of a DeBERTa encoder; without it, random weights of PairRM's shape (436 M).",
    completion: .directory)
  var model: String?

  @Option(help: "Answers to the prompt, K; the table has K (K - 1) ordered pairs.")
  var answers = 5

  @Option(help: "Tokens of the prompt.")
  var promptTokens = 150

  @Option(help: "Tokens of each answer.")
  var answerTokens = 150

  @Option(help: "Tables that are measured, after one that is not.")
  var repetitions = 3

  @Option(help: "Token rows computed together; more memory, fewer passes.")
  var rowsPerPass = 2048

  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  func validate() throws {
    for (name, value, least) in [
      ("answers", answers, 2), ("prompt-tokens", promptTokens, 0),
      ("answer-tokens", answerTokens, 0), ("repetitions", repetitions, 1),
      ("rows-per-pass", rowsPerPass, 1),
    ] where value < least {
      throw ValidationError("--\(name) is \(value); it must be at least \(least)")
    }
  }

  func run() throws {
    let runtime = try common.runtime(storage)
    var work = RankBenchmark.Work()
    work.answers = answers
    work.promptTokens = promptTokens
    work.answerTokens = answerTokens
    work.repetitions = repetitions
    work.rowsPerPass = rowsPerPass
    let encoder =
      try model.map {
        try EncoderModel.load($0, backend: runtime.backend, weights: runtime.weights)
      } ?? RankBenchmark.randomModel(runtime.backend, weights: runtime.weights)
    let result = try RankBenchmark.run(
      encoder, work, threads: runtime.threads,
      progress: { Terminal.error("bench rank: table \($0) of \(repetitions)") })
    let title =
      "backend \(result.backend), \(result.threads) threads, \(result.model), "
      + "\(result.pairs) pairs of \(result.tokensPerPair) tokens a table; median (min – max)"
    let count = Double(result.pairs)
    let rows = [
      [
        "  seconds a table",
        Figures.spread(result.secondsMedian, result.secondsMinimum, result.secondsMaximum),
      ],
      ["  seconds a pair", Figures.short(result.secondsPerPair)],
      ["  processor seconds a pair", Figures.short(result.processorSeconds / count)],
      ["  tokens/s", Figures.one(count * Double(result.tokensPerPair) / result.secondsMedian)],
      ["  GFLOP/s, dense products", Figures.one(result.rate)],
    ]
    try Terminal.result(
      Shown(result), lines: [title] + Terminal.columns(rows + result.shareRows),
      of: runtime.backend,
      json: common.json)
  }

  /// The measurement with what follows from it.
  private struct Shown: Encodable {
    var measured: RankBenchmark
    var secondsPerPair: Double
    var gflops: Double
    var share: Double

    init(_ measured: RankBenchmark) {
      self.measured = measured
      secondsPerPair = measured.secondsPerPair
      gflops = measured.rate
      share = measured.share
    }
  }
}
