import Foundation
import SparModel
import SparStore
import SparText
import Testing

@testable import SparRankerTraining

@Suite("Ranker training") struct RankerTrainerTests {
  static let words = ["stone ", "paper", "scissors!", "Lizard", "spock? "]

  /// Cycles of `length` answers to each of `prompts` prompts: every answer beats the next.
  func cycles(
    _ model: LanguageModel, length: Int, prompts: Int
  ) throws -> RankerData {
    var data = RankerData()
    let encoder = RankerEncoder(model, maxLength: 200)
    for prompt in 0..<prompts {
      let answers = (0..<length).map { String(repeating: Self.words[$0], count: 1 + prompt) }
      for i in 0..<length {
        let outcome = try encoder.add(
          prompt: [ChatMessage(role: "user", content: "which \(prompt)?")], chosen: answers[i],
          rejected: answers[(i + 1) % length], place: "test", to: &data)
        #expect(outcome == .added)
      }
    }
    return data
  }

  func options(_ head: RankerHead, epochs: Double = 200, rate: Double = 0.02)
    -> RankerTrainingOptions
  {
    var options = RankerTrainingOptions()
    options.head = head
    options.loss.tau = head.kind == .gpm ? 0.1 : 1
    options.training.epochs = epochs
    options.training.learningRate = rate
    options.training.perDeviceBatch = 4
    options.training.loggingSteps = 1_000_000
    return options
  }

  func train(
    _ model: LanguageModel, _ data: RankerData, _ options: RankerTrainingOptions,
    in folder: TemporaryFolder = TemporaryFolder(), validation: RankerData? = nil
  ) throws -> (RankerTrainingResult, accuracy: Double) {
    let trainer = try RankerTrainer(
      model, data: data, validation: validation, dataDigest: "test", options: options,
      output: folder.path)
    let result = try trainer.run()
    let features = try RankerFeatures(
      data, under: model, gate: options.head.gate != .none, tokensPerPass: 512,
      progress: { _ in }, isCancelled: { false })
    let step = RankerStep(
      model: try #require(trainer.ranker as? RankerModel), data: data, options: options,
      features: features, checkpoint: {})
    return (result, try step.run(Array(data.pairs.indices), recording: false).accuracy)
  }

  @Test(
    "Bradley-Terry stays under its bound on cycles, a general preference model of two dimensions is perfect",
    arguments: [3, 4, 5], [1, 2] as [UInt64])
  func paper(length: Int, seed: UInt64) throws {
    let model = try tinyLanguageModel(hidden: 64, seed: seed)
    let data = try cycles(model, length: length, prompts: 3)
    // Embeddings that all point one way are a local minimum where they are normalised, and a saddle
    // where they are not (docs/train-ranker.md).
    var settings = options(
      RankerHead(kind: .gpm, dimension: 2, normalises: false), epochs: 100, rate: 0.02)
    settings.training.seed = seed
    settings.training.perDeviceBatch = 1
    #expect(try train(model, data, settings).accuracy == 1)
    settings.head = RankerHead(kind: .bradleyTerry)
    settings.loss.tau = 1
    // One comparison of every cycle must be wrong: at most (n − 1)/n are right.
    #expect(
      try train(model, data, settings).accuracy <= Double(length - 1) / Double(length) + 1e-12)
  }

  @Test(
    "adapters and full training lower the loss, too; the gate and the auxiliary loss are trained along"
  )
  func scopes() throws {
    for scope in [RankerTrainingOptions.Scope.lora, .full] {
      let model = try tinyLanguageModel()
      let data = try cycles(model, length: 3, prompts: 1)
      var settings = options(
        RankerHead(kind: .gpm, dimension: 4, gate: .softmax), epochs: 12, rate: 3e-3)
      settings.scope = scope
      settings.adapters = LowRankOptions(rank: 4, alpha: 8)
      settings.languageModelLoss.coefficient = 0.1
      settings.loss.learnsTau = true
      settings.training.loggingSteps = 1
      let (result, _) = try train(model, data, settings)
      let losses = result.history.compactMap { $0.values["loss"] }
      #expect(losses.count == result.steps)
      #expect(try #require(losses.last) < 0.8 * losses[0])
      #expect(result.history.last?.values["tau"] != nil)
    }
  }

  @Test(
    "stopped and gone on with = uninterrupted, bit for bit",
    arguments: [RankerTrainingOptions.Scope.head, .lora])
  func resume(scope: RankerTrainingOptions.Scope) throws {
    func settings() -> RankerTrainingOptions {
      var settings = options(RankerHead(kind: .gpm, dimension: 2), epochs: 6, rate: 1e-2)
      settings.scope = scope
      settings.validationShare = 0.2
      return settings
    }
    func weights(_ folder: String) throws -> [Float] {
      try SafetensorsFolder(folder + "/ranker").floats("value_head.weight")
    }
    let whole = TemporaryFolder()
    let model = try tinyLanguageModel()
    let data = try cycles(model, length: 5, prompts: 2)
    _ = try RankerTrainer(
      model, data: data, dataDigest: "d", options: settings(), output: whole.path
    ).run()

    let parts = TemporaryFolder()
    var polls = 0
    let again = try tinyLanguageModel()
    #expect(throws: RankerTrainingError.self) {
      try RankerTrainer(
        again, data: data, dataDigest: "d", options: settings(), output: parts.path
      ).run(isCancelled: {
        polls += 1
        return polls > 9
      })
    }
    let third = try tinyLanguageModel()
    let result = try RankerTrainer(
      third, data: data, dataDigest: "d", options: settings(), output: parts.path
    ).run()
    #expect(result.bestStep != nil)
    #expect(try weights(parts.path) == weights(whole.path))
    var other = settings()
    other.training.learningRate = 5
    #expect(throws: RankerTrainingError.self) {
      try RankerTrainer(
        third, data: data, dataDigest: "d", options: other, output: parts.path
      ).run()
    }
  }

  @Test("the exported folder says how its heads are used")
  func export() throws {
    let folder = TemporaryFolder()
    let model = try tinyLanguageModel()
    let data = try cycles(model, length: 3, prompts: 1)
    let settings = options(RankerHead(kind: .gpm, dimension: 4, gate: .softmax), epochs: 2)
    let (result, _) = try train(model, data, settings, in: folder)
    let source = try SafetensorsFolder(result.folder)
    #expect(source.entry("value_head.weight")?.shape == [4, 32])
    #expect(source.entry("prompt_head.weight")?.shape == [2, 32])
    let config = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: result.folder + "/config.json")))
    let ranker = try #require((config as? [String: Any])?["spar_ranker"] as? [String: Any])
    #expect(ranker["kind"] as? String == "gpm" && ranker["gate"] as? String == "softmax")
    #expect(ranker["l2"] as? Bool == true && ranker["text"] as? String == "template")
  }

  @Test("rows that cannot be trained on are told apart")
  func rows() throws {
    let model = try tinyLanguageModel()
    var data = RankerData()
    let encoder = RankerEncoder(model, maxLength: 24)
    func add(_ prompt: String, _ a: String, _ b: String) throws -> ComparisonOutcome {
      try encoder.add(
        prompt: [ChatMessage(role: "user", content: prompt)], chosen: a, rejected: b,
        place: "row", to: &data)
    }
    #expect(try add("hi", "a", "a") == .identical)
    #expect(try add(String(repeating: "x", count: 40), "a", "b") == .promptTooLong)
    #expect(try add("hi", String(repeating: "y", count: 90), "b") == .truncated)
    #expect(data.pairs.count == 1)
    #expect(data.longerWins == 1)
  }

  @Test("wrong settings are named")
  func settings() {
    var settings = RankerTrainingOptions()
    settings.head.dimension = 3
    #expect(throws: RankerTrainingError.self) { try settings.validate() }
    settings = RankerTrainingOptions()
    settings.languageModelLoss.coefficient = 0.1
    #expect(throws: RankerTrainingError.self) { try settings.validate() }
    settings.scope = .full
    #expect(throws: Never.self) { try settings.validate() }
  }
}
