import Foundation

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
  private let config: ConfigReader
  private let path: String

  /// Model types and the architecture that stands for them.
  static let architectures = [
    "llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma2": "gemma2",
    "phi3": "phi3",
  ]

  /// - Parameters:
  ///   - rows: of the embedding.
  ///   - path: the file to be written, for messages.
  init(config data: Data, rows: Int, path: String) throws {
    let config = try ConfigReader(data, path: path)
    self.config = config
    self.path = path
    let type = config.string("model_type") ?? "(none)"
    guard let architecture = Self.architectures[type] else {
      throw ExportError.cannot(
        path: path, format: "GGUF", what: "model_type \"\(type)\" has no place there",
        cure: "known: \(Self.architectures.keys.sorted().joined(separator: ", "))")
    }
    self.architecture = architecture
    let (hidden, heads) = (
      try config.required("hidden_size"), try config.required("num_attention_heads")
    )
    headSize = config.integer("head_dim") ?? hidden / heads
    tieEmbeddings = config.flag("tie_word_embeddings") ?? (type == "gemma2")
    let layers = try config.required("num_hidden_layers")
    add("context_length", try config.required("max_position_embeddings"))
    add("embedding_length", hidden)
    add("block_count", layers)
    add("feed_forward_length", try config.required("intermediate_size"))
    add("attention.head_count", heads)
    add("attention.head_count_kv", config.integer("num_key_value_heads") ?? heads)
    add("attention.key_length", headSize)
    add("attention.value_length", headSize)
    add("attention.layer_norm_rms_epsilon", real: config.number("rms_norm_eps") ?? 1e-6)
    add("vocab_size", rows)
    let rotary = Int(Double(headSize) * (config.number("partial_rotary_factor") ?? 1))
    add("rope.dimension_count", rotary)
    add("rope.freq_base", real: config.rope("rope_theta") ?? 10_000)
    try addWindow(type, layers: layers, hidden: hidden, heads: heads)
    try addScaling(rotary: rotary)
  }

  private mutating func add(_ key: String, _ value: Int) {
    fields.append(("\(architecture).\(key)", .u32(UInt32(clamping: value))))
  }

  private mutating func add(_ key: String, real value: Double) {
    fields.append(("\(architecture).\(key)", .f32(Float(value))))
  }

  /// Sliding windows and Gemma's caps.
  private mutating func addWindow(_ type: String, layers: Int, hidden: Int, heads: Int) throws {
    let window = config.integer("sliding_window")
    switch type {
    case "gemma2":
      add("attention.sliding_window", window ?? 4096)
      add("attn_logit_softcapping", real: config.number("attn_logit_softcapping") ?? 50)
      add("final_logit_softcapping", real: config.number("final_logit_softcapping") ?? 30)
      // Readers know the scale by the number of layers: 46 is the 27B model.
      let expected = layers == 46 ? hidden / heads : headSize
      let scale = config.number("query_pre_attn_scalar") ?? Double(expected)
      guard scale == Double(expected) else {
        throw ExportError.cannot(
          path: path, format: "GGUF",
          what: "query_pre_attn_scalar is \(scale), readers of the format take \(expected)",
          cure: "export to a Hugging Face folder")
      }
    case "phi3":
      add("attention.sliding_window", window ?? 0)
    case "mistral":
      if let window { note(window) }
    case "qwen2", "qwen3":
      if config.flag("use_sliding_window") == true, let window { note(window) }
    default: break
    }
  }

  private mutating func note(_ window: Int) {
    guard window < config.integer("max_position_embeddings") ?? 0 else { return }
    notes.append(
      "GGUF's architecture \(architecture) has no sliding_window: beyond \(window) tokens "
        + "its readers attend to more than the model does")
  }

  private mutating func addScaling(rotary: Int) throws {
    let kind = config.scalingString("rope_type") ?? config.scalingString("type") ?? "default"
    let factor = config.scaling("factor") ?? 1
    switch kind {
    case "default", "none": break
    case "linear":
      fields.append(("\(architecture).rope.scaling.type", .string("linear")))
      add("rope.scaling.factor", real: factor)
    case "llama3":
      let factors = GGUFRopeScaling.llama3Factors(
        headSize: rotary, theta: config.rope("rope_theta") ?? 10_000, factor: factor,
        low: config.scaling("low_freq_factor") ?? 1, high: config.scaling("high_freq_factor") ?? 4,
        length: config.scaling("original_max_position_embeddings") ?? 8192)
      ropeFactors = [("rope_freqs.weight", factors.map { Float($0) })]
    case "yarn":
      fields.append(("\(architecture).rope.scaling.type", .string("yarn")))
      add("rope.scaling.factor", real: factor)
      let length = config.scaling("original_max_position_embeddings")
      add("rope.scaling.original_context_length", Int(length ?? 0))
    case "longrope", "su":
      try addLongRope(rotary: rotary)
    default:
      throw ExportError.cannot(
        path: path, format: "GGUF", what: "rope_type \"\(kind)\" has no place there",
        cure: "export to a Hugging Face folder")
    }
  }

  /// Phi-3's two lists of factors, and the growth of attention that follows from the lengths.
  private mutating func addLongRope(rotary: Int) throws {
    let length = try config.required("max_position_embeddings")
    let original =
      config.integer("original_max_position_embeddings")
      ?? config.scaling("original_max_position_embeddings").map { Int($0) } ?? length
    add("rope.scaling.original_context_length", original)
    let ratio = Double(length) / Double(original)
    let growth = ratio > 1 ? (1 + log(ratio) / log(Double(original))).squareRoot() : 1
    add("rope.scaling.attn_factor", real: growth)
    for (key, name) in [("long_factor", "long"), ("short_factor", "short")] {
      guard let values = config.scalingNumbers(key), values.count == rotary / 2 else {
        throw ExportError.cannot(
          path: path, format: "GGUF", what: "rope_scaling.\(key) has not \(rotary / 2) numbers",
          cure: "check config.json")
      }
      ropeFactors.append(("rope_factors_\(name).weight", values.map { Float($0) }))
    }
  }
}
