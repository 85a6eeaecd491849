import Foundation
import SparCompute
import SparModel
import SparTensor
import Testing

/// The tiny models as GGUF files: names, layouts and settings of every architecture.
@Suite("GGUF of every architecture")
struct GGUFDecoderTests {
  static let names = [
    "phi3", "phi3-longrope", "llama-yarn", "llama-linear", "mistral-old", "gemma2-odd", "llama3",
    "qwen2", "qwen3",
  ]
  /// Those of the shared folder are there only where it is.
  static let present = names.filter { name in GoldenFolder.all.contains { $0.name == name } }

  /// config.json of the folder, with Gemma's score scale as readers of the format know it.
  func configText(_ folder: GoldenFolder) throws -> Data {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/config.json"))
    let text = String(decoding: data, as: UTF8.self).replacingOccurrences(
      of: "\"query_pre_attn_scalar\": 7", with: "\"query_pre_attn_scalar\": 10")
    return Data(text.utf8)
  }

  func config(_ folder: GoldenFolder) throws -> ModelConfig {
    try ModelConfig(json: configText(folder), path: folder.path)
  }

  func model(_ config: ModelConfig, _ weights: any WeightSource) throws -> any Architecture {
    let backend = Backend.reference()
    return try Architectures.make(config, backend: backend, path: "t") { name, shape in
      #expect(weights.entry(name)?.shape == shape)
      return Parameter(
        name: name, value: Tensor(try weights.floats(name), shape: shape, pool: backend.pool))
    }
  }

  func logits(_ model: any Architecture) throws -> [Float] {
    var batch = PackedBatch()
    batch.append((0..<30).map { Int32(3 + $0 * 37 % 100) })
    let graph = Graph(.reference())
    return try model.logits(of: model.hidden(batch, graph, cached: nil), graph).value.array()
  }

  @Test("a GGUF file gives the logits of the folder it was made from", arguments: present)
  func sameLogits(name: String) throws {
    let folder = try #require(GoldenFolder.all.first { $0.name == name })
    let path = NSTemporaryDirectory() + "spar-\(UUID().uuidString).gguf"
    defer { unlink(path) }
    let config = try config(folder)
    let source = try SafetensorsFolder(folder.path)
    try write(config, source, to: path)
    let file = try GGUFLlamaSource(path: path)
    let read = try ModelConfig(json: file.model.configJSON(), path: path)
    #expect(read.modelType == config.modelType)
    #expect(read.parameterCount == config.parameterCount)
    #expect(read.attention == config.attention)
    #expect(read.maxPositions == config.maxPositions)
    let (own, other) = (try logits(model(read, file)), try logits(model(config, source)))
    #expect(own.count == other.count)
    for (a, b) in zip(own, other) { #expect(abs(a - b) < 2e-4) }
  }

  /// Without the one whose window has no key there.
  static let exportable = present.filter { $0 != "mistral-old" }

  @Test("what our export writes gives the settings and the logits back", arguments: exportable)
  func exported(name: String) throws {
    let folder = try #require(GoldenFolder.all.first { $0.name == name })
    let place = NSTemporaryDirectory() + "spar-\(UUID().uuidString)"
    let manager = FileManager.default
    try manager.createDirectory(atPath: place, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try manager.removeItem(atPath: place) } }
    try configText(folder).write(to: URL(fileURLWithPath: place + "/config.json"))
    try manager.copyItem(
      atPath: folder.path + "/model.safetensors", toPath: place + "/model.safetensors")
    try Data(Self.tokenizer.utf8).write(to: URL(fileURLWithPath: place + "/tokenizer.json"))
    let files = try ModelFiles.huggingFace(place)
    var export = GGUFExport()
    export.type = .f32
    try export.write(files, to: place + "/m.gguf", name: name)
    let copy = try GGUFLlamaSource(path: place + "/m.gguf")
    let config = try config(folder)
    let read = try ModelConfig(json: copy.model.configJSON(), path: place)
    #expect(read.modelType == config.modelType && read.rotarySize == config.rotarySize)
    #expect(read.parameterCount == config.parameterCount)
    #expect(read.attention == config.attention && read.feedForward == config.feedForward)
    #expect(read.maxPositions == config.maxPositions)
    switch (read.ropeScaling, config.ropeScaling) {
    case (.yarn(let a), .yarn(let b)):
      #expect(a.factor == b.factor && a.originalLength == b.originalLength && a.fast == b.fast)
      #expect(a.slow == b.slow && abs(a.amplitude - b.amplitude) < 1e-6)
    case (.longrope(let a), .longrope(let b)):
      #expect(a.originalLength == b.originalLength && abs(a.amplitude - b.amplitude) < 1e-6)
      for (x, y) in zip(a.shortFactors + a.longFactors, b.shortFactors + b.longFactors) {
        #expect(abs(x - y) < 1e-6)
      }
    case (.linear(let a), .linear(let b)): #expect(a == b)
    case (.llama3, .llama3), (.none, .none): break
    default: Issue.record("\(read.ropeScaling) of \(config.ropeScaling)")
    }
    let (own, other) = (try logits(model(read, copy)), try logits(model(config, files.weights)))
    #expect(own.count == other.count)
    for (a, b) in zip(own, other) { #expect(abs(a - b) < 2e-4) }
  }

  private static let tokenizer = """
    {"added_tokens": [], "normalizer": null, "post_processor": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true,
    "trim_offsets": true}, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
    """

  @Test("norms that are stored as 1 + w come back as w, as values and as bytes")
  func norms() throws {
    let folder = try #require(GoldenFolder.own.first { $0.name == "gemma2-odd" })
    let path = NSTemporaryDirectory() + "spar-\(UUID().uuidString).gguf"
    defer { unlink(path) }
    let source = try SafetensorsFolder(folder.path)
    try write(config(folder), source, to: path)
    let file = try GGUFLlamaSource(path: path)
    let name = "model.layers.1.post_feedforward_layernorm.weight"
    let values = try file.floats(name)
    for (a, b) in zip(values, try source.floats(name)) { #expect(abs(a - b) < 1e-7) }
    #expect(Array(try file.rawBytes(name).bindMemory(to: Float.self)) == values)
    try file.lendBytes(name) { #expect(Array($0.bindMemory(to: Float.self)) == values) }
  }

  private func write(
    _ config: ModelConfig, _ source: SafetensorsFolder, to path: String
  ) throws {
    let architecture = config.modelType == "mistral" ? "llama" : config.modelType
    let names = try #require(GGUFTensorNames.named(architecture))
    var tensors = try source.entries.map { entry in
      let stored = try #require(names.gguf(entry.name))
      var values = try source.floats(entry.name)
      if names.isNormPlusOne(stored) { values = values.map { $0 + 1 } }
      if names.isInterleaved(stored) {
        // Rows of weights, values of biases.
        let width = values.count / entry.shape[0]
        values = (0..<entry.shape[0]).flatMap { row in
          let from = GGUFHeadOrder.huggingFace(row, headSize: config.headSize) * width
          return values[from..<(from + width)]
        }
      }
      return OutgoingTensor(name: stored, shape: entry.shape, values: values)
    }
    var fields: [(key: String, value: GGUFField)] = [
      ("context_length", .u32(config.vocabularySize == 160 ? 256 : 96)),
      ("embedding_length", .u32(UInt32(config.hiddenSize))),
      ("block_count", .u32(UInt32(config.layers))),
      ("feed_forward_length", .u32(UInt32(config.intermediateSize))),
      ("attention.head_count", .u32(UInt32(config.heads))),
      ("attention.head_count_kv", .u32(UInt32(config.keyHeads))),
      ("attention.key_length", .u32(UInt32(config.headSize))),
      ("attention.layer_norm_rms_epsilon", .f32(Float(config.rmsEpsilon))),
      ("rope.dimension_count", .u32(UInt32(config.rotarySize))),
      ("rope.freq_base", .f32(Float(config.ropeTheta))),
    ]
    if let window = config.attention.windows.max(), window > 0 {
      fields.append(("attention.sliding_window", .u32(UInt32(window))))
    }
    if config.modelType == "gemma2" {
      fields.append(("attn_logit_softcapping", .f32(Float(config.attention.softcap))))
      fields.append(("final_logit_softcapping", .f32(Float(config.logitSoftcap))))
    }
    switch config.ropeScaling {
    case .linear(let factor):
      fields.append(("rope.scaling.type", .string("linear")))
      fields.append(("rope.scaling.factor", .f32(Float(factor))))
    case .yarn(let yarn):
      fields.append(("rope.scaling.type", .string("yarn")))
      fields.append(("rope.scaling.factor", .f32(Float(yarn.factor))))
      fields.append(("rope.scaling.original_context_length", .u32(UInt32(yarn.originalLength))))
    case .longrope(let long):
      fields.append(("rope.scaling.original_context_length", .u32(UInt32(long.originalLength))))
      fields.append(("rope.scaling.attn_factor", .f32(Float(long.amplitude))))
      for kind in ["short", "long"] {
        tensors.append(
          OutgoingTensor(
            name: "rope_factors_\(kind).weight", shape: [long.shortFactors.count],
            values: long.shortFactors.map { Float($0) }))
      }
    case .llama3:
      tensors.append(
        OutgoingTensor(name: "rope_freqs.weight", shape: [4], values: Self.tinyLlama3Factors))
    case .none, .dynamic: break
    }
    try GGUFWriter.write(
      tensors,
      metadata: [("general.architecture", .string(architecture))]
        + fields.map { ("\(architecture).\($0.key)", $0.value) }, to: path)
  }

  /// For head size 8, theta 500000, factor 8 and length 32: the wavelengths are 6.3, 167, 4443 and
  /// 118142, of which the first lies below 32/4 and the others above 32.
  static let tinyLlama3Factors: [Float] = [1, 8, 8, 8]
}
