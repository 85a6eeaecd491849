import Foundation
import SparCompute
import SparHost
import SparModel
import SparText
import SparTraining
import Testing

/// Whether the real model and the golden traces are here.
private let hasModel =
  Golden.folder != nil
  && KnownModel.named("smollm2-135m").map { FileManager.default.fileExists(atPath: $0.path) }
    == true

/// Three optimizer steps on real SmolLM2-135M-Instruct against PyTorch, for two objectives.
///
/// Minutes in a debug build's plain parts, so it runs where SPAR_GOLDEN_TRAINING is set.
@Suite(
  "Golden training", .serialized,
  .enabled(
    if: hasModel && ProcessInfo.processInfo.environment["SPAR_GOLDEN_TRAINING"] != nil,
    "needs ../shared/golden, `spar model fetch smollm2-135m` and SPAR_GOLDEN_TRAINING=1"))
struct GoldenTrainingTests {
  struct Trace: Decodable {
    struct Run: Decodable {
      struct Step: Decodable {
        var loss: Double
        var gradNorm: Double
        var logps: [[Double]]
      }
      var lr: Double
      var steps: [Step]
      var logpsOfFirst4PairsAfter: [[Double]]
      var parameterNormsAfter: [String: Double]
    }
    struct Pair: Decodable {
      var prompt: [PairMessage]
      var chosen: [PairMessage]
      var rejected: [PairMessage]
    }
    var probabilitiesWinLose: [[Double]]
    var pairs: [Pair]
    var referenceLogps: [[Double]]
    var runs: [String: Run]
  }

  private let trace: Trace
  private let model: LanguageModel

  init() throws {
    let data = try Data(
      contentsOf: URL(fileURLWithPath: Golden.path("smollm2/training.json")))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    trace = try decoder.decode(Trace.self, from: data)
    let host = PluginHost(search: PluginSearch(), threads: 2)
    let backend = Backend(try host.makeBackend("openblas", options: [:], threads: 2))
    let shipped = try LanguageModel.load("smollm2-135m", backend: backend)
    // The traces were made with this tokenizer, which does not cut digits apart first as the
    // shipped model's does.
    let path = try Golden.path("text/tokenizers/smollm2.tokenizer.json")
    let tokenizer = try Tokenizer(
      tokenizerJSON: Data(contentsOf: URL(fileURLWithPath: path)), path: path, config: nil)
    model = LanguageModel(
      config: shipped.config, backend: backend, architecture: shipped.architecture,
      tokenizer: tokenizer, chatTemplate: shipped.chatTemplate, path: path,
      digest: shipped.digest)
  }

  private func groups() throws -> [TrainingGroup] {
    let encoder = LanguageModelPairs(model)
    return try zip(trace.pairs, trace.probabilitiesWinLose).map { pair, probabilities in
      TrainingGroup(
        promptIDs: try encoder.prompt(pair.prompt),
        answers: [
          TrainingAnswer(
            ids: try encoder.answer(pair.chosen[0].content), winProb: probabilities[0], label: 1),
          TrainingAnswer(
            ids: try encoder.answer(pair.rejected[0].content), winProb: probabilities[1], label: -1),
        ])
    }
  }

  @Test(
    "losses, gradient norms and log-probabilities follow PyTorch's",
    arguments: ["sppo_rmsprop", "dpo_adamw"])
  func follows(name: String) throws {
    let run = try #require(trace.runs[name])
    var options = TrainingOptions()
    options.optimizer = name == "dpo_adamw" ? .adamw : .rmsprop
    options.learningRate = run.lr
    options.schedule = .constant
    options.warmupRatio = 0
    options.perDeviceBatch = 4
    options.shuffle = false
    options.loggingSteps = 1
    options.maxLength = 2048
    let objective: any TrainingObjective =
      name == "dpo_adamw" ? SigmoidObjective(beta: 0.1) : SquareObjective(beta: 1e-3)
    let output = try temporaryFolder()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: output) } }
    let groups = try groups()
    let trainable = try TrainableModel(model)
    let reference = try ReferenceLogps.compute(groups, model: trainable, tokensPerPass: 1024)
    for (group, wanted) in zip(reference.applied(to: groups), trace.referenceLogps) {
      for (answer, logp) in zip(group.answers, wanted) {
        #expect(abs(try #require(answer.refLogp) - logp) < 5e-3)
      }
    }
    let result = try Trainer(
      trainable, objective: objective, groups: groups, options: options, output: output
    ).run()
    #expect(result.steps == 3)
    for (entry, wanted) in zip(result.history, run.steps) {
      let (loss, norm) = (
        try #require(entry.values["loss"]), try #require(entry.values["grad_norm"])
      )
      #expect(abs(loss - wanted.loss) <= 1e-4 * wanted.loss, "\(entry.step): \(loss)")
      // PyTorch sums the embedding's 28 million squares in f32, which costs it 1e-4 here.
      #expect(abs(norm - wanted.gradNorm) <= 2e-4 * wanted.gradNorm, "\(entry.step): \(norm)")
      for (side, column) in [("chosen", 0), ("rejected", 1)] {
        let mean = wanted.logps.reduce(0) { $0 + $1[column] } / 4
        #expect(abs(try #require(entry.values["logps/\(side)"]) - mean) < 5e-3)
      }
    }
    let after = try ReferenceLogps.compute(
      Array(groups.prefix(4)), model: trainable, tokensPerPass: 1024
    ).applied(to: Array(groups.prefix(4)))
    // Sums of up to 500 tokens; updates of RMSprop's first steps are nearly signs of gradients, so
    // differences in the last bits grow: measured 7e-3.
    for (group, wanted) in zip(after, run.logpsOfFirst4PairsAfter) {
      for (answer, logp) in zip(group.answers, wanted) {
        #expect(abs(try #require(answer.refLogp) - logp) < 1e-2)
      }
    }
    for parameter in model.architecture.parameters {
      guard let wanted = run.parameterNormsAfter[parameter.name] else { continue }
      // The f32 sum again: PyTorch's norm of the embedding is off by 2e-3 before any step.
      let tolerance = parameter.name == "model.embed_tokens.weight" ? 2e-3 : 2e-4
      let found = Double(try model.backend.sumOfSquares(parameter.value)).squareRoot()
      #expect(abs(found - wanted) <= tolerance * wanted, "\(parameter.name)")
    }
    print("\(name): \(Int(result.tokensPerSecond)) packed tokens/s, \(result.seconds) s")
  }
}
