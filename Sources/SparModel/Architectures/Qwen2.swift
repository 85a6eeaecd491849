/// Qwen 2 and 2.5: Llama's blocks with a bias on queries, keys and values.
/// Source: Yang et al. 2024, arXiv:2407.10671.
enum Qwen2: DecoderFamily {
  static let modelType = "qwen2"

  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws {
    config.attention.bias = .queryKeyValue
    try Qwen.configure(&config, fields)
  }
}

/// What Qwen 2 and 3 share.
enum Qwen {
  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws {
    if !fields.names("num_key_value_heads") { config.keyHeads = 32 }
    config.maxPositions = try fields.integer("max_position_embeddings", default: 32_768)
    config.feedForward.activation = try fields.activation("hidden_act", default: "silu")
    // The window is written in every config and holds where use_sliding_window is true.
    let slides = try fields.boolean("use_sliding_window", default: false)
    var window: Int?
    if slides {
      window = fields.names("sliding_window") ? try fields.integerLimit("sliding_window") : 4096
    }
    let first = try fields.signed("max_window_layers") ?? 28
    config.attention.windows = try fields.windows(window, layers: config.layers) { $0 >= first }
    try config.readRope(fields)
  }
}
