import Foundation
import SparCompute
import SparTensor
import SparText
import Testing

@testable import SparModel

/// A model that keeps its weights in their file is the model that expands them.
@Suite("Stored weights: models") struct StoredLoadingTests {
  /// Random weights of one type, norms in f32; the order of names is that of asking.
  final class RandomWeights: WeightSource, @unchecked Sendable {
    let path = "random"
    let entries: [WeightEntry]
    private let bytes: [String: (StoredMatrix?, [Float])]

    init(_ type: WeightType, _ shapes: [(String, [Int])]) {
      entries = shapes.map { name, shape in
        WeightEntry(name: name, type: shape.count == 2 ? type : .f32, shape: shape)
      }
      var bytes: [String: (StoredMatrix?, [Float])] = [:]
      for (index, (name, shape)) in shapes.enumerated() {
        if shape.count == 2, let dtype = type.stored {
          bytes[name] = (StoredMatrix(dtype, shape[0], shape[1], seed: UInt64(index)), [])
        } else {
          bytes[name] = (nil, randomTensor(shape, index).array().map { 1 + $0 / 4 })
        }
      }
      self.bytes = bytes
    }

    func entry(_ name: String) -> WeightEntry? { entries.first { $0.name == name } }

    func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
      let entry = try require(name)
      guard let (matrix, values) = bytes[name] else { throw absence(of: name) }
      if let matrix { return matrix.raw }
      return try lent.bytes(name, count: 4 * entry.count) { target in
        values.withUnsafeBytes { target.copyMemory(from: $0) }
      }
    }
    private let lent = LentBytes()

    func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
      try WeightReading.read(require(name), rawBytes(name), into: destination, path: path)
    }
  }

  static let config = """
    {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
     "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 70, "eos_token_id": 2,
     "max_position_embeddings": 128, "tie_word_embeddings": true}
    """
  static let tokenizer = """
    {"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
     "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
     "decoder": {"type": "ByteLevel"},
     "model": {"type": "BPE", "vocab": {"a": 3, "b": 4, "c": 5}, "merges": []}}
    """

  static func files(_ type: WeightType) throws -> ModelFiles {
    let (c, f, kv) = (64, 96, 32)
    var shapes: [(String, [Int])] = [("model.embed_tokens.weight", [70, c])]
    for layer in 0..<2 {
      let at = "model.layers.\(layer)."
      shapes += [
        (at + "input_layernorm.weight", [c]), (at + "post_attention_layernorm.weight", [c]),
        (at + "self_attn.q_proj.weight", [c, c]), (at + "self_attn.k_proj.weight", [kv, c]),
        (at + "self_attn.v_proj.weight", [kv, c]), (at + "self_attn.o_proj.weight", [c, c]),
        (at + "mlp.gate_proj.weight", [f, c]), (at + "mlp.up_proj.weight", [f, c]),
        (at + "mlp.down_proj.weight", [c, f]),
      ]
    }
    shapes.append(("model.norm.weight", [c]))
    return ModelFiles(
      path: "random", config: Data(config.utf8), weights: RandomWeights(type, shapes),
      storedTokenizer: try Tokenizer(
        tokenizerJSON: Data(tokenizer.utf8), path: "random", config: nil))
  }

  static let types: [WeightType] = [.f32, .f16, .bf16, .q8_0, .q4_0, .q4_1]

  @Test("logits and log-probabilities have the same bits", arguments: types, testBackends)
  func logits(type: WeightType, backend: TestBackend) throws {
    let backend = try backend.make()
    let files = try Self.files(type)
    let results = try [WeightsPolicy.f32, .stored].map { policy -> [Float] in
      let model = try LanguageModel(files, backend: backend, weights: policy)
      let isMapped = policy == .stored && type != .f32
      #expect(model.architecture.head.value.isTrainable == !(policy == .stored))
      #expect((model.architecture.head.value.dtype != .f32) == isMapped)
      var one = PackedBatch()
      one.append([3, 4, 5, 60, 3])
      var many = ScoringBatch()
      many.append(
        prompt: (0..<20).map { $0 * 3 % 70 }, answers: [(0..<30).map { $0 * 7 % 70 }, [4, 2]])
      return try model.logits(one).array() + model.logps(many)
    }
    #expect(results[0] == results[1])
    #expect(!results[0].contains { !$0.isFinite })
  }

  @Test("gradients through frozen stored weights have the same bits", arguments: types)
  func gradients(type: WeightType) throws {
    let backend = try TestBackend(name: "openblas").make()
    let files = try Self.files(type)
    let results = try [WeightsPolicy.f32, .stored].map { policy -> [Float] in
      let model = try LanguageModel(files, backend: backend, weights: policy)
      // Norms are in memory whatever the policy: they can be trained on a frozen base.
      let norms = model.architecture.parameters.filter { $0.value.shape.count == 1 }
      for norm in norms { norm.gradient = backend.zeros(norm.value.shape) }
      let graph = Graph(backend, recording: true)
      var batch = ScoringBatch()
      batch.append(prompt: [3, 4, 5, 9], answers: [(0..<30).map { $0 * 7 % 70 }])
      let hidden = try model.architecture.hidden(batch.packed, graph, cached: nil)
      let rows = try graph.gather(hidden, rows: batch.heads)
      let output = try graph.linearLogp(rows, model.architecture.head, targets: batch.targets)
      try graph.backward(from: output, gradient: randomTensor([batch.targets.count], 3))
      return norms.flatMap { $0.gradient?.array() ?? [] }
    }
    #expect(results[0] == results[1])
    #expect(results[0].contains { $0 != 0 })
  }

  @Test("the digest does not depend on the policy", arguments: types)
  func digest(type: WeightType) throws {
    let files = try Self.files(type)
    let digests = try [WeightsPolicy.f32, .stored].map {
      try LanguageModel(files, backend: .reference(), weights: $0).digest
    }
    #expect(digests[0] == digests[1])
    #expect(digests[0].count == 32)
  }

  @Test("types without a kernel are expanded") func otherTypes() throws {
    for type in WeightType.allCases where type.stored == nil {
      let files = RandomWeights(.f32, [("w", [4, 256])])
      let entry = WeightEntry(name: "w", type: type, shape: [4, 256])
      #expect(try files.mapped(entry) == nil)
    }
  }

  @Test("small models are expanded when nobody says otherwise") func auto() throws {
    let model = try LanguageModel(
      Self.files(.bf16), backend: .reference(), weights: .auto)
    #expect(model.architecture.head.value.isTrainable)
    let machine = Int(ProcessInfo.processInfo.physicalMemory)
    let large = HeavyWeights(rows: machine / 4 / 3 / 64 + 64)
    #expect(WeightsPolicy.auto.resolved(for: large) == .stored)
    #expect(WeightsPolicy.f32.resolved(for: large) == .f32)
  }

  /// A matrix that is only named.
  private final class HeavyWeights: WeightSource, @unchecked Sendable {
    let path = "heavy"
    let entries: [WeightEntry]
    init(rows: Int) { entries = [WeightEntry(name: "w", type: .bf16, shape: [rows, 64])] }
    func entry(_ name: String) -> WeightEntry? { entries.first { $0.name == name } }
    func read(_ name: String, into: UnsafeMutableBufferPointer<Float>) throws {
      throw absence(of: name)
    }
    func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer { throw absence(of: name) }
  }

  @Test(
    "SmolLM2 as it lies in its file gives the same log-probabilities and the same digest",
    .enabled(if: smolIsHere, "needs `spar model fetch smollm2-135m`"))
  func smol() throws {
    let backend = try TestBackend(name: "openblas").make()
    var digests: Set<String> = []
    let results = try [WeightsPolicy.f32, .stored].map { policy -> [Float] in
      let model = try LanguageModel.load("smollm2-135m", backend: backend, weights: policy)
      digests.insert(model.digest)
      var batch = ScoringBatch()
      let prompt = try model.tokenizer.encode("The capital of France")
      batch.append(prompt: prompt, answers: [[624, 6042]])
      return try model.logps(batch)
    }
    #expect(results[0] == results[1])
    #expect(digests.count == 1)
  }
}

private let smolIsHere =
  KnownModel.named("smollm2-135m").map { FileManager.default.fileExists(atPath: $0.path) } == true
