/// Gemma 2: every other layer sees a window only, scores and logits are soft-capped, the
/// feed-forward is a GeGLU, norms stand before and after each part and multiply by 1 + w,
/// embeddings are scaled by √C.
/// Source: Gemma Team 2024, arXiv:2408.00118.
enum Gemma2: DecoderFamily {
  static let modelType = "gemma2"

  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws {
    // What published configs leave out stands in transformers' Gemma2Config.
    if !fields.names("num_key_value_heads") { config.keyHeads = 4 }
    config.headSize = try fields.integer("head_dim", default: 256)
    config.maxPositions = try fields.integer("max_position_embeddings", default: 8192)
    config.tieEmbeddings = try fields.boolean("tie_word_embeddings", default: true)
    if try fields.boolean("use_bidirectional_attention", default: false) {
      throw fields.wrong("use_bidirectional_attention", "true: this build's decoders are causal")
    }
    func cap(_ name: String, _ usual: Double) throws -> Double {
      guard fields.names(name) else { return usual }
      return try fields.limit(name) ?? 0
    }
    config.attention.softcap = try cap("attn_logit_softcapping", 50)
    config.logitSoftcap = try cap("final_logit_softcapping", 30)
    config.attention.scale =
      1 / (try fields.number("query_pre_attn_scalar", default: 256)).squareRoot()
    config.attention.bias = try fields.boolean("attention_bias", default: false) ? .all : .none
    let window =
      fields.names("sliding_window") ? try fields.integerLimit("sliding_window") : 4096
    config.attention.windows = try fields.windows(window, layers: config.layers) { $0 % 2 == 0 }
    config.feedForward.activation = try fields.activation(
      "hidden_activation", default: "gelu_pytorch_tanh")
    config.norms = NormOptions(offset: 1, followsParts: true)
    config.embeddingScale = Double(Float(Double(config.hiddenSize).squareRoot()))
    try config.readRope(fields)
  }
}
