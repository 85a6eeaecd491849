/// Mistral 7B v0.1 to v0.3 and its kin: Llama's blocks, all of which see the last `sliding_window`
/// tokens (v0.1) or all (null, from v0.2 on).
/// Source: Jiang et al. 2023, arXiv:2310.06825.
enum Mistral: DecoderFamily {
  static let modelType = "mistral"

  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws {
    if !fields.names("num_key_value_heads") { config.keyHeads = 8 }
    config.maxPositions = try fields.integer("max_position_embeddings", default: 131_072)
    config.feedForward.activation = try fields.activation("hidden_act", default: "silu")
    // Absent means the window of v0.1; null and 0 mean none.
    let window =
      fields.names("sliding_window") ? try fields.integerLimit("sliding_window") : 4096
    config.attention.windows = try fields.windows(window, layers: config.layers) { _ in true }
    try config.readRope(fields)
  }
}
