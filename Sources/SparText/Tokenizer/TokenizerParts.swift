/// Everything that makes a tokenizer, as a file describes it.
struct TokenizerParts: Sendable {
  /// tokens[id], added ones included; "" is an unused id.
  var tokens: [String]
  var vocabulary: TokenTable
  var added: [AddedToken]
  var normalizer: [Normalizer]
  var preTokenizer: PreTokenizer
  var model: BytePairModel
  var post: PostProcessor
  var decoder: Decoder

  /// How tokens become text again.
  enum Decoder: Equatable, Sendable {
    /// Characters of GPT-2's alphabet are bytes.
    case byteLevel
    /// No decoder: Hugging Face puts a space between the tokens.
    case spaced
  }
}

/// The tokens with a role.
struct SpecialTokens: Equatable, Sendable {
  var bos: String?
  var eos: String?
  var pad: String?
  var unk: String?
}
