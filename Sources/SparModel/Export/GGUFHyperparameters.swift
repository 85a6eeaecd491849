import Foundation
import SparCompute

/// A config.json as the metadata of a GGUF file say it.
///
/// Source: llama.cpp, convert_hf_to_gguf.py and `llama_model::load_hparams`.
struct GGUFHyperparameters {
  /// `general.architecture`.
  let architecture: String
  let headSize: Int
  let tieEmbeddings: Bool
  private(set) var fields: [(key: String, value: GGUFField)] = []
  /// Factors by which rotary frequencies are divided, as tensors.
  private(set) var ropeFactors: [(name: String, values: [Float])] = []
  /// What the format leaves out.
  private(set) var notes: [String] = []
  private let config: ModelConfig
  /// For what `ModelConfig` does not keep as it was written.
  private let written: ConfigFields
  private let path: String

  /// Model types and the architecture that stands for them.
  static let architectures = [
    "llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma2": "gemma2",
    "phi3": "phi3",
  ]

  /// - Parameters:
  ///   - source: where the config is from, for messages.
  ///   - rows: of the embedding.
  ///   - path: the file to be written, for messages.
  init(config data: Data, source: String, rows: Int, path: String) throws {
    written = try ConfigFields(data: data, path: source)
    self.path = path
    let type = try written.string("model_type") ?? "(none)"
    guard let architecture = Self.architectures[type] else {
      throw ExportError.cannot(
        path: path, format: "GGUF", what: "model_type \"\(type)\" has no place there",
        cure: "known: \(Self.architectures.keys.sorted().joined(separator: ", "))")
    }
    self.architecture = architecture
    config = try ModelConfig(json: data, path: source)
    headSize = config.headSize
    tieEmbeddings = config.tieEmbeddings
    add("context_length", try contextLength())
    add("embedding_length", config.hiddenSize)
    add("block_count", config.layers)
    add("feed_forward_length", config.intermediateSize)
    add("attention.head_count", config.heads)
    add("attention.head_count_kv", config.keyHeads)
    add("attention.key_length", headSize)
    add("attention.value_length", headSize)
    add("attention.layer_norm_rms_epsilon", real: config.rmsEpsilon)
    add("vocab_size", rows)
    add("rope.dimension_count", config.rotarySize)
    add("rope.freq_base", real: config.ropeTheta)
    try requireActivation()
    try addWindow()
    try addScaling()
  }

  private mutating func add(_ key: String, _ value: Int) {
    fields.append(("\(architecture).\(key)", .u32(UInt32(clamping: value))))
  }

  private mutating func add(_ key: String, real value: Double) {
    fields.append(("\(architecture).\(key)", .f32(Float(value))))
  }

  private func cannot(_ what: String) -> ExportError {
    .cannot(path: path, format: "GGUF", what: what, cure: "export to a Hugging Face folder")
  }

  /// As written: what scaling makes of it follows from the scaling.
  private func contextLength() throws -> Int {
    try written.integer("max_position_embeddings", default: config.maxPositions)
  }

  /// The architecture implies it.
  private func requireActivation() throws {
    let expected: Activation = architecture == "gemma2" ? .geluTanh : .silu
    guard config.feedForward.activation == expected else {
      throw cannot(
        "the activation is \(config.feedForward.activation), readers of the format take "
          + "\(expected)")
    }
  }

  /// Sliding windows and Gemma's caps.
  private mutating func addWindow() throws {
    let windows = config.attention.windows
    let widest = windows.max() ?? 0
    switch config.modelType {
    case "gemma2":
      guard widest > 0, windows.enumerated().allSatisfy({ $1 == ($0 % 2 == 0 ? widest : 0) }) else {
        throw cannot("its readers take a sliding_window in every other layer, from the first on")
      }
      add("attention.sliding_window", widest)
      let (scores, logits) = (config.attention.softcap, config.logitSoftcap)
      guard scores > 0, logits > 0 else {
        throw cannot("its readers cap scores and logits, and softcapping is off")
      }
      add("attn_logit_softcapping", real: scores)
      add("final_logit_softcapping", real: logits)
      // Readers know the scale by the number of layers: 46 is the 27B model.
      let expected = config.layers == 46 ? config.hiddenSize / config.heads : headSize
      let scale = try written.number("query_pre_attn_scalar", default: 256)
      guard scale == Double(expected) else {
        throw cannot("query_pre_attn_scalar is \(scale), readers of the format take \(expected)")
      }
    case "phi3":
      guard windows.allSatisfy({ $0 == widest }) else {
        throw cannot("its readers take one sliding_window for all layers")
      }
      add("attention.sliding_window", widest)
    default:
      // No key for it: readers attend to more than the model does.
      guard let window = windows.filter({ $0 > 0 }).min(), try window < contextLength() else {
        return
      }
      notes.append(
        "GGUF's architecture \(architecture) has no sliding_window: beyond \(window) tokens "
          + "its readers attend to more than the model does")
    }
  }

  private mutating func addScaling() throws {
    switch config.ropeScaling {
    case .none: break
    case .linear(let factor):
      fields.append(("\(architecture).rope.scaling.type", .string("linear")))
      add("rope.scaling.factor", real: factor)
    case .llama3(let factor, let low, let high, let length):
      let factors = GGUFRopeScaling.llama3Factors(
        headSize: config.rotarySize, theta: config.ropeTheta, factor: factor, low: low, high: high,
        length: length)
      ropeFactors = [("rope_freqs.weight", factors.map { Float($0) })]
    case .yarn(let yarn): try addYarn(yarn)
    case .longrope(let long):
      add("rope.scaling.original_context_length", long.originalLength)
      add("rope.scaling.attn_factor", real: long.amplitude)
      for (name, values) in [("long", long.longFactors), ("short", long.shortFactors)] {
        ropeFactors.append(("rope_factors_\(name).weight", values.map { Float($0) }))
      }
    case .dynamic: throw cannot("rope_type \"dynamic\" has no place there")
    }
  }

  private mutating func addYarn(_ yarn: YarnScaling) throws {
    guard yarn.truncates else { throw cannot("its readers take yarn's truncate for true") }
    fields.append(("\(architecture).rope.scaling.type", .string("yarn")))
    add("rope.scaling.factor", real: yarn.factor)
    add("rope.scaling.original_context_length", Int(yarn.originalLength))
    if yarn.fast != 32 { add("rope.scaling.yarn_beta_fast", real: yarn.fast) }
    if yarn.slow != 1 { add("rope.scaling.yarn_beta_slow", real: yarn.slow) }
    // Readers multiply this by the growth that follows from the factor.
    let share = yarn.amplitude / (1 + 0.1 * log(max(yarn.factor, 1)))
    if abs(share - 1) > 1e-6 { add("rope.scaling.attn_factor", real: share) }
  }
}
