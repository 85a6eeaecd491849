/// Llama 2, 3, 3.1 and 3.2: pre-norm blocks of rotary grouped-query attention and a SwiGLU
/// feed-forward.  The other files of this folder say what differs from it.
/// Source: Touvron et al. 2023, arXiv:2302.13971 and 2307.09288; names are Hugging Face's.
enum Llama: DecoderFamily {
  static let modelType = "llama"

  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws {
    config.attention.bias = try fields.boolean("attention_bias", default: false) ? .all : .none
    config.feedForward.hasBias = try fields.boolean("mlp_bias", default: false)
    config.feedForward.activation = try fields.activation("hidden_act", default: "silu")
    try config.readRope(fields)
  }
}
