import ArgumentParser
import Foundation
import SparHost
import SparModel
import SparPipeline
import SparTensor
import SparTraining

struct BenchTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Training steps: tokens/s, and the share of the machine's own sgemm rate.",
    discussion: """
      Groups are one prompt with two answers, packed, of random tokens; share = 6 · parameters · \
      tokens/s ÷ sgemm rate. The sgemm rate is measured before, between and after the steps.
      """)

  @Option(help: "The model that is trained (in memory only).", completion: .file())
  var model = "smollm2-135m"

  @Option(help: "Optimizer steps that are measured, after one that is not.")
  var steps = 6

  @Option(help: "Groups of one step.")
  var groups = 4

  @Option(help: "Tokens of a prompt.")
  var promptTokens = 50

  @Option(help: "Tokens of each of the two answers.")
  var answerTokens = 150

  @Option(help: "Packed rows that go through the model at once.")
  var tokensPerPass = TrainingOptions().tokensPerPass

  @OptionGroup var common: CommonOptions

  private struct Result: Encodable {
    var backend: String
    var machine: Machine
    var parameters: Int
    var tokensPerStep: Int
    var tokensPerSecond: Spread
    /// Of square products of 2048.
    var sgemmGflops: Spread
    /// Of the model's own products.
    var modelGemmGflops: Spread
    /// Of the median rates.
    var share: Double
    var shareOfModelGemm: Double
    var peakMemoryBytes: UInt64
  }

  func validate() throws {
    for (name, value) in [
      ("steps", steps), ("groups", groups), ("prompt-tokens", promptTokens),
      ("answer-tokens", answerTokens), ("tokens-per-pass", tokensPerPass),
    ] where value < 1 {
      throw ValidationError("--\(name) is \(value); it must be at least 1")
    }
  }

  func run() throws {
    let runtime = try common.runtime()
    let policy = try runtime.model(model)
    let meter = SgemmMeter(backend: runtime.backend)
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var options = TrainingOptions()
    options.perDeviceBatch = groups
    options.maxSteps = steps + 1
    options.saveSteps = 0
    options.tokensPerPass = tokensPerPass
    let data = randomGroups(vocabulary: policy.config.vocabularySize)
    let tokens = data.prefix(groups).reduce(0) { $0 + $1.rows }
    let trainer = try Trainer(
      TrainableModel(policy), objective: MarginObjective(), groups: data, options: options,
      output: folder.path)

    let rows = min(tokens, tokensPerPass)
    var square: [Double] = []
    var own: [Double] = []
    func measureProducts() throws {
      square.append(try meter.measure(SgemmMeter.squares[1], seconds: 0.3).median)
      own.append(try meter.rate(of: policy.config, rows: rows, seconds: 0.05))
    }
    try measureProducts()
    var rates: [Double] = []
    var failure: (any Error)?
    var begin = ContinuousClock.now
    let line = ProgressLine()
    let show = line.stage("bench train")
    _ = try trainer.run(
      progress: { progress in
        guard progress.stage == "train" else { return }
        // The first step fills pools and caches.
        if progress.done > 1 {
          rates.append(Double(tokens) / ((ContinuousClock.now - begin) / .seconds(1)))
        }
        show(progress)
        do { try measureProducts() } catch { failure = error }
        begin = ContinuousClock.now
      }, isCancelled: { Interrupts.interruption.isRequested })
    line.finish()
    if let failure { throw failure }
    let parameters = policy.config.parameterCount
    let speed = Spread(rates)
    let needed = 6 * Double(parameters) * speed.median / 1e9
    let result = Result(
      backend: runtime.backend.name, machine: .current(threads: runtime.threads),
      parameters: parameters, tokensPerStep: tokens, tokensPerSecond: speed,
      sgemmGflops: Spread(square), modelGemmGflops: Spread(own),
      share: needed / Spread(square).median, shareOfModelGemm: needed / Spread(own).median,
      peakMemoryBytes: Machine.peakMemory())
    if common.json { return try Terminal.json(result) }
    try print(result, runtime.threads)
  }

  private func print(_ result: Result, _ threads: Int) throws {
    let rows = [
      ["tokens/s", result.tokensPerSecond.text],
      ["sgemm 2048, GFLOP/s", result.sgemmGflops.text],
      ["sgemm of the model's shapes", result.modelGemmGflops.text],
      ["share of sgemm", Figures.percent(result.share)],
      ["share on the model's shapes", Figures.percent(result.shareOfModelGemm)],
      ["peak memory", Figures.scaled(Double(result.peakMemoryBytes), "B")],
    ]
    try Terminal.line(
      "backend \(result.backend), \(threads) threads, \(Figures.scaled(Double(result.parameters)))"
        + " parameters, \(groups) groups of 2 answers, \(result.tokensPerStep) tokens a step; "
        + "median (min – max)")
    for line in Terminal.columns(rows) { try Terminal.line("  " + line) }
  }

  private func randomGroups(vocabulary: Int) -> [TrainingGroup] {
    var random = Random(seed: 1, stage: .initialise)
    func ids(_ count: Int) -> [Int32] {
      (0..<count).map { _ in Int32(random.next() % UInt64(vocabulary)) }
    }
    // Every group is used once an epoch, all of the same size.
    return (0..<groups).map { _ in
      TrainingGroup(
        promptIDs: ids(promptTokens),
        answers: [
          TrainingAnswer(ids: ids(answerTokens), refLogp: -1000, label: 1),
          TrainingAnswer(ids: ids(answerTokens), refLogp: -1000, label: -1),
        ])
    }
  }
}

/// A stand-in for a plugin: the squared distance of the log-ratio margin from 1.
private struct MarginObjective: TrainingObjective {
  let needs: ObjectiveNeeds = .reference
  let metricNames: [String] = []

  func evaluate(_ batch: ObjectiveBatch) throws -> ObjectiveResult {
    var result = ObjectiveResult(zerosFor: batch)
    for group in 0..<(batch.begin.count - 1) {
      let w = Int(batch.begin[group])
      let miss = batch.logp[w] - batch.logp[w + 1] - 1
      result.loss[w] = 1e-6 * miss * miss
      result.dlogp[w] = 2e-6 * miss
      result.dlogp[w + 1] = -2e-6 * miss
    }
    return result
  }
}
