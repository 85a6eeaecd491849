/// Phi-3, 3.5 and 4 (mini, medium): Llama's blocks with the projections that read the same rows
/// stored as one tensor, a window on all layers where the config has one, and heads of which
/// `partial_rotary_factor` is rotated.
/// Source: Abdin et al. 2024, arXiv:2404.14219.
enum Phi3: DecoderFamily {
  static let modelType = "phi3"

  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws {
    if try fields.boolean("attention_bias", default: false) {
      throw fields.wrong("attention_bias", "true: Phi-3's projections have no bias in this build")
    }
    config.rmsEpsilon = try fields.number("rms_norm_eps", default: 1e-5)
    config.maxPositions = try fields.integer("max_position_embeddings", default: 4096)
    config.attention.isFused = true
    config.feedForward.isFused = true
    config.feedForward.activation = try fields.activation("hidden_act", default: "silu")
    let window = try fields.integerLimit("sliding_window")
    config.attention.windows = try fields.windows(window, layers: config.layers) { _ in true }
    try config.readRope(fields, partial: true)
  }
}
