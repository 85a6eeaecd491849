/// Everything that makes a tokenizer, as a file describes it.
struct TokenizerParts: Sendable {
  /// tokens[id], added ones included; "" is an unused id.
  var tokens: [String]
  var vocabulary: TokenTable
  var added: [AddedToken]
  var normalizer: [Normalizer] = []
  /// nil: the whole text is one word.
  var preTokenizer: PreTokenizer?
  var model: TokenModel
  var post = PostProcessor()
  /// nil: Hugging Face puts a space between the tokens.
  var decoder: [DecoderStep]?
}

/// The tokens with a role.
struct SpecialTokens: Equatable, Sendable {
  var bos: String?
  var eos: String?
  var pad: String?
  var unk: String?
}
