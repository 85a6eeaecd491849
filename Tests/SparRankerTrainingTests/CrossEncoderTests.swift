import Foundation
import SparCompute
import SparTensor
import SparText
import Testing

@testable import SparModel
@testable import SparRankerTraining

@Suite("Training a cross-encoder") struct CrossEncoderTests {
  static let words = ["stone ", "paper", "scissors!", "Lizard", "spock? "]

  func encoder(seed: UInt64 = 5) throws -> CrossEncoder {
    try CrossEncoder(
      tinyEncoderFiles(seed: seed), backend: .reference(), sourceMaxLength: 30,
      candidateMaxLength: 24, seed: 7)
  }

  /// Answers in a fixed order of quality under every prompt.
  func comparisons(_ encoder: CrossEncoder, prompts: Int = 2) throws -> RankerData {
    var data = RankerData()
    for prompt in 0..<prompts {
      for (better, worse) in [(0, 1), (1, 2), (2, 3), (0, 3)] {
        let outcome = try encoder.add(
          prompt: [ChatMessage(role: "user", content: "which \(prompt)?")],
          chosen: Self.words[better], rejected: Self.words[worse], probability: 1, margin: 0,
          place: "test", to: &data)
        #expect(outcome == .added)
      }
    }
    return data
  }

  func options(_ scope: RankerTrainingOptions.Scope, epochs: Double, rate: Double)
    -> RankerTrainingOptions
  {
    var options = RankerTrainingOptions()
    options.head = RankerHead(kind: .pairrm)
    options.loss.tau = 1
    options.scope = scope
    options.adapters = LowRankOptions(rank: 4, alpha: 8)
    options.training.epochs = epochs
    options.training.learningRate = rate
    options.training.perDeviceBatch = 4
    options.training.loggingSteps = 1
    options.training.tokensPerPass = 100
    return options
  }

  @Test("gradients of head and encoder are central differences of the loss")
  func differences() throws {
    let encoder = try encoder()
    let data = try comparisons(encoder, prompts: 1)
    let step = CrossEncoderStep(
      ranker: encoder, data: data, options: options(.full, epochs: 1, rate: 1), states: nil,
      checkpoint: {})
    let pairs = Array(data.pairs.indices)
    func loss() throws -> Double {
      step.total(try step.run(pairs, step: 3, recording: true))
    }
    let parameters = encoder.headParameters + encoder.transformerParameters
    for parameter in parameters {
      parameter.gradient = encoder.backend.zeros(parameter.value.shape)
    }
    _ = try loss()
    let gradients = try parameters.map { try #require($0.gradient).array() }
    for parameter in parameters { parameter.gradient = nil }
    for (parameter, gradient) in zip(parameters, gradients) {
      // The element that matters most: the others of a wide table may be 0.
      let index = try #require(gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) })
      let kept = parameter.value.floats[index]
      let reach: Float = 1e-2
      parameter.value.floats[index] = kept + reach
      let up = try loss()
      parameter.value.floats[index] = kept - reach
      let down = try loss()
      parameter.value.floats[index] = kept
      let expected = (up - down) / Double(2 * reach)
      let found = Double(gradient[index])
      #expect(
        abs(found - expected) < 2e-2 * abs(expected) + 2e-4,
        "\(parameter.name): \(found) for \(expected)")
    }
    // Both answers share the last bias: it moves nothing.
    #expect(gradients[3] == [0])
  }

  @Test(
    "head, adapters and full training lower the loss and order the answers",
    arguments: [RankerTrainingOptions.Scope.head, .lora, .full])
  func scopes(scope: RankerTrainingOptions.Scope) throws {
    let folder = TemporaryFolder()
    let encoder = try encoder()
    let data = try comparisons(encoder, prompts: 1)
    var settings = options(scope, epochs: 24, rate: scope == .head ? 5e-2 : 1e-2)
    settings.evalSteps = 8
    let result = try RankerTrainer(
      encoder, data: data, validation: data, dataDigest: "d", options: settings,
      output: folder.path
    ).run()
    let losses = result.history.compactMap { $0.values["loss"] }
    // Of both orders; a step's own loss depends on the coins.
    #expect(try #require(result.loss) < 0.8 * losses[0], "\(losses)")
    #expect(try #require(result.accuracy) >= 0.75)
  }

  @Test(
    "stopped and gone on with = uninterrupted, bit for bit",
    arguments: [RankerTrainingOptions.Scope.head, .full])
  func resume(scope: RankerTrainingOptions.Scope) throws {
    func trainer(_ folder: TemporaryFolder) throws -> RankerTrainer {
      var settings = options(scope, epochs: 4, rate: 1e-2)
      settings.validationShare = 0.25
      let encoder = try encoder()
      return try RankerTrainer(
        encoder, data: comparisons(encoder), dataDigest: "d", options: settings,
        output: folder.path)
    }
    func weights(_ folder: TemporaryFolder) throws -> [[Float]] {
      let source = try SafetensorsFolder(folder.path + "/ranker")
      return try source.entries.map { try source.floats($0.name) }
    }
    let (whole, parts) = (TemporaryFolder(), TemporaryFolder())
    _ = try trainer(whole).run()
    var polls = 0
    #expect(throws: RankerTrainingError.self) {
      try trainer(parts).run(isCancelled: {
        polls += 1
        return polls > 11
      })
    }
    _ = try trainer(parts).run()
    #expect(try weights(parts) == weights(whole))
  }

  @Test("the exported folder has LLM-Blender's names and is a ranker to train on")
  func export() throws {
    let folder = TemporaryFolder()
    let encoder = try encoder()
    let data = try comparisons(encoder)
    let result = try RankerTrainer(
      encoder, data: data, dataDigest: "d", options: options(.full, epochs: 1, rate: 1e-3),
      output: folder.path
    ).run()
    let names = Set(try SafetensorsFolder(result.folder).entries.map(\.name))
    #expect(names.isSuperset(of: CrossEncoder.names))
    #expect(names.contains("pretrained_model.encoder.layer.1.attention.self.key_proj.weight"))
    #expect(names.count == encoder.transformerParameters.count + 4)
    let again = try CrossEncoder(
      .huggingFace(result.folder), backend: .reference(), sourceMaxLength: 30,
      candidateMaxLength: 24, seed: 99)
    func loss(_ encoder: CrossEncoder) throws -> Double {
      let step = CrossEncoderStep(
        ranker: encoder, data: data, options: options(.full, epochs: 1, rate: 1), states: nil,
        checkpoint: {})
      return step.total(try step.run(Array(data.pairs.indices), step: 0, recording: false))
    }
    #expect(try loss(again) == loss(encoder))
  }

  @Test("long texts are cut and said to be, equal answers are left out")
  func rows() throws {
    let encoder = try encoder()
    var data = RankerData()
    func add(_ prompt: String, _ a: String, _ b: String) throws -> ComparisonOutcome {
      try encoder.add(
        prompt: [ChatMessage(role: "user", content: prompt)], chosen: a, rejected: b,
        probability: 1, margin: 0, place: "row", to: &data)
    }
    let long = String(repeating: "x", count: 90)
    #expect(try add("hi", "a", "a") == .identical)
    #expect(try add(long, "a", "b") == .truncated)
    #expect(try add("hi", long, "b") == .truncated)
    #expect(try add("hi", long, long + "y") == .identical)
    #expect(data.prefixes[0].count == 30 && data.pairs.count == 2)
  }

  @Test("what a cross-encoder cannot do is refused")
  func refused() {
    var settings = options(.full, epochs: 1, rate: 1)
    settings.loss.learnsTau = true
    #expect(throws: RankerTrainingError.self) { try settings.validate() }
    settings.loss.learnsTau = false
    settings.languageModelLoss.coefficient = 0.1
    #expect(throws: RankerTrainingError.self) { try settings.validate() }
  }
}

/// A random two-layer DeBERTa of 105 tokens, one for each ASCII character, then those of PairRM.
func tinyEncoderFiles(seed: UInt64) throws -> ModelFiles {
  let json = """
    {"model_type": "deberta-v2", "hidden_size": 16, "intermediate_size": 24, "hidden_act": "gelu",
     "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 105, "layer_norm_eps": 1e-7,
     "max_position_embeddings": 64, "max_relative_positions": -1, "position_buckets": 8,
     "relative_attention": true, "norm_rel_ebd": "layer_norm", "share_att_key": true,
     "pos_att_type": ["p2c", "c2p"], "position_biased_input": false, "type_vocab_size": 0}
    """
  let marks = [
    "[CLS]", "[SEP]", "<|source|>", "<|candidate1|>", "<|candidate2|>", "<|candidate|>",
  ]
  return ModelFiles(
    path: "tiny", config: Data(json.utf8), weights: TinyEncoderWeights(seed: seed),
    storedTokenizer: try asciiTokenizer(added: marks))
}

/// Weights of that encoder behind "deberta.".
private final class TinyEncoderWeights: WeightSource {
  let path = "tiny"
  let entries: [WeightEntry]
  let seed: UInt64
  var isMapped: Bool { false }

  init(seed: UInt64) {
    self.seed = seed
    var shapes: [(String, [Int])] = [
      ("embeddings.word_embeddings.weight", [105, 16]), ("embeddings.LayerNorm.weight", [16]),
      ("embeddings.LayerNorm.bias", [16]), ("encoder.rel_embeddings.weight", [16, 16]),
      ("encoder.LayerNorm.weight", [16]), ("encoder.LayerNorm.bias", [16]),
    ]
    for layer in 0..<2 {
      for (name, rows, columns) in [
        ("attention.self.query_proj", 16, 16), ("attention.self.key_proj", 16, 16),
        ("attention.self.value_proj", 16, 16), ("attention.output.dense", 16, 16),
        ("intermediate.dense", 24, 16), ("output.dense", 16, 24),
      ] {
        shapes.append(("encoder.layer.\(layer).\(name).weight", [rows, columns]))
        shapes.append(("encoder.layer.\(layer).\(name).bias", [rows]))
      }
      for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
        shapes.append(("encoder.layer.\(layer).\(name).weight", [16]))
        shapes.append(("encoder.layer.\(layer).\(name).bias", [16]))
      }
    }
    entries = shapes.map { WeightEntry(name: "deberta." + $0.0, type: .f32, shape: $0.1) }
  }

  func entry(_ name: String) -> WeightEntry? { entries.first { $0.name == name } }

  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
    let item = entries.firstIndex { $0.name == name } ?? 0
    var random = Random(seed: seed, stage: .initialise, item: item)
    let isNorm = name.hasSuffix("LayerNorm.weight")
    for index in destination.indices {
      destination[index] = isNorm ? 1 : 0.6 * Float(2 * random.uniform() - 1)
    }
  }

  func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    throw WeightError(path, .unsupported("these weights have no bytes"))
  }
}
