/// Qwen 3: no bias; queries and keys are normed head by head before they are rotated.
/// Source: Yang et al. 2025, arXiv:2505.09388.
enum Qwen3: DecoderFamily {
  static let modelType = "qwen3"

  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws {
    config.headSize = try fields.integer("head_dim", default: 128)
    config.attention.bias = try fields.boolean("attention_bias", default: false) ? .all : .none
    config.attention.normsHeads = true
    try Qwen.configure(&config, fields)
  }
}
