import Foundation
import SparCompute
import SparModel
import SparTensor
import Testing

/// A tiny DeBERTa-v2 with PairRM's names against values that transformers computed.
@Suite("Golden DeBERTa-v2", .enabled(if: shared != nil, "../shared/golden is absent"))
struct GoldenDebertaTests {
  private func load(
    _ backend: Backend, keeping policy: WeightsPolicy = .f32
  ) throws -> (EncoderModel, SafetensorsFile) {
    let folder = try #require(shared) + "/golden/rankers/pairrm"
    let model = try EncoderModel(
      config: Data(contentsOf: URL(fileURLWithPath: folder + "/config.json")),
      weights: SafetensorsFolder(folder), keeping: policy, path: folder, backend: backend)
    return (model, try SafetensorsFile(folder + "/expected.safetensors"))
  }

  private func ids(_ file: SafetensorsFile, _ name: String) throws -> [Int32] {
    try file.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
  }

  @Test("hidden states of a sequence, alone and packed with others", arguments: testBackends)
  func hidden(backend: TestBackend) throws {
    let (model, expected) = try load(backend.make())
    let sequence = try ids(expected, "ids.0.2")
    let rows = sequence.indices.map(Int32.init)
    let alone = try model.hidden([sequence], rows: rows)
    #expect(distance(alone, try expected.floats("hidden.0.2")) < 1e-4)
    let packed = try model.hidden(
      [[5, 9, 2], sequence, [7]], rows: rows.map { $0 + 3 })
    #expect(distance(packed, alone) < 1e-6)
  }

  @Test(
    "stored weights give the same bits, Q8_0 nearly the same under a digest of its own",
    arguments: testBackends)
  func policies(backend: TestBackend) throws {
    let (plain, expected) = try load(backend.make())
    let (stored, _) = try load(backend.make(), keeping: .stored)
    let (rounded, _) = try load(backend.make(), keeping: .q8_0)
    let sequence = try ids(expected, "ids.0.2")
    let rows = sequence.indices.map(Int32.init)
    let states = try plain.hidden([sequence], rows: rows)
    #expect(try stored.hidden([sequence], rows: rows) == states)
    #expect(stored.digest == plain.digest)
    let near = try rounded.hidden([sequence], rows: rows)
    #expect(near != states && distance(near, states) < 0.2)
    #expect(rounded.digest != plain.digest)
    #expect(rounded.encoder.parameters.contains { $0.value.dtype == .q8_0 })
  }

  @Test("gradients of every kind of parameter are central differences") func differences() throws {
    let (model, _) = try load(.reference())
    let batch: [Int32] = [1, 129, 17, 40, 66, 2, 1, 130, 99, 5, 17, 2, 1, 8]
    let sequences = [0..<12, 12..<14]
    let encoder = model.encoder
    for parameter in encoder.parameters {
      parameter.gradient = model.backend.zeros(parameter.value.shape)
    }
    let graph = Graph(model.backend, recording: true)
    let output = try encoder.hidden(batch, sequences: sequences, graph)
    var random = Random(seed: 3, stage: .initialise)
    let weight = Tensor(
      (0..<output.value.count).map { _ in Float(random.uniform() * 2 - 1) },
      shape: output.value.shape, pool: model.backend.pool)
    try graph.backward(from: output, gradient: weight)
    func loss() throws -> Double {
      let states = try encoder.hidden(batch, sequences: sequences, Graph(model.backend)).value
      return zip(states.array(), weight.array()).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    for parameter in encoder.parameters {
      let gradient = try #require(parameter.gradient).array()
      // The element that matters most: the others of a wide table may be 0.
      let index = try #require(gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) })
      let kept = parameter.value.floats[index]
      let step: Float = 5e-3
      parameter.value.floats[index] = kept + step
      let up = try loss()
      parameter.value.floats[index] = kept - step
      let down = try loss()
      parameter.value.floats[index] = kept
      let expected = (up - down) / Double(2 * step)
      let found = Double(gradient[index])
      #expect(
        abs(found - expected) < 2e-2 * max(0.5, abs(expected)),
        "\(parameter.name)[\(index)]: \(found) against \(expected)")
    }
  }

  @Test("a backend's gradients are the reference's") func agree() throws {
    func gradients(_ backend: Backend) throws -> [(name: String, values: [Float])] {
      let (model, expected) = try load(backend)
      let sequence = try ids(expected, "ids.0.2")
      for parameter in model.encoder.parameters {
        parameter.gradient = backend.zeros(parameter.value.shape)
      }
      let graph = Graph(backend, recording: true)
      let output = try model.encoder.hidden(sequence, sequences: [0..<sequence.count], graph)
      var random = Random(seed: 4, stage: .initialise)
      let weight = (0..<output.value.count).map { _ in Float(random.uniform() * 2 - 1) }
      try graph.backward(
        from: output, gradient: Tensor(weight, shape: output.value.shape, pool: backend.pool))
      return try model.encoder.parameters.map { ($0.name, try #require($0.gradient).array()) }
    }
    let expected = try gradients(.reference())
    let found = try gradients(testBackends[1].make())
    for (a, b) in zip(expected, found) {
      let norm = a.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(a.values, b.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      #expect(norm > 0 && error.squareRoot() <= 1e-4 * norm, "\(a.name): \(error) of \(norm)")
    }
  }
}

@Suite("DeBERTa-v2's config") struct DebertaConfigTests {
  private let fields: [String: Any] = [
    "model_type": "deberta-v2", "vocab_size": 128_100, "hidden_size": 1024,
    "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
    "layer_norm_eps": 1e-7, "relative_attention": true, "max_relative_positions": -1,
    "max_position_embeddings": 512, "position_buckets": 256, "norm_rel_ebd": "layer_norm",
    "share_att_key": true, "pos_att_type": "p2c|c2p", "position_biased_input": false,
    "type_vocab_size": 0, "hidden_act": "gelu",
  ]

  private func config(_ changes: [String: Any] = [:]) throws -> DebertaV2Config {
    let object = fields.merging(changes) { $1 }
    return try DebertaV2Config(json: JSONSerialization.data(withJSONObject: object), path: "m")
  }

  @Test("deberta-v3-large, as its config spells it") func large() throws {
    var expected = DebertaV2Config.pairRM
    expected.vocabularySize = 128_100
    let (found, listed) = (try config(), try config(["pos_att_type": ["c2p", "p2c"]]))
    #expect(found == expected)
    #expect(listed == expected)
    #expect(abs(expected.parameterCount - 434_000_000) < 1_000_000)
  }

  @Test("distances share rows as upstream's do") func buckets() throws {
    let config = try config()
    let known = [
      0: 0, 127: 127, 128: 128, 129: 129, 130: 130, 150: 143, 200: 169, 255: 192, 300: 207,
      400: 233, 511: 255, 512: 255, 1000: 255, 2047: 255,
    ]
    for (distance, bucket) in known {
      #expect(config.positionRow(distance) == 256 + bucket, "\(distance)")
      if distance < 512 { #expect(config.positionRow(-distance) == 256 - bucket, "-\(distance)") }
    }
    #expect(config.positionRow(-512) == 0 && config.positionRow(-2000) == 0)
    #expect(config.positionBuckets.count == 1025)
  }

  @Test(
    "what is not done is refused by the name of its field",
    arguments: [
      "relative_attention", "position_biased_input", "type_vocab_size", "conv_kernel_size",
      "embedding_size", "hidden_act", "pos_att_type", "num_attention_heads", "position_buckets",
      "max_relative_positions",
    ])
  func refused(field: String) throws {
    let bad: [String: Any] = [
      "relative_attention": false, "position_biased_input": true, "type_vocab_size": 2,
      "conv_kernel_size": 3, "embedding_size": 512, "hidden_act": "relu", "pos_att_type": "p2p",
      "num_attention_heads": 7, "position_buckets": 1100,
      "max_relative_positions": 1 << 40,
    ]
    let value = try #require(bad[field])
    let error = #expect(throws: ModelError.self) { try config([field: value]) }
    #expect("\(try #require(error))".contains("config field \(field)"))
  }
}
