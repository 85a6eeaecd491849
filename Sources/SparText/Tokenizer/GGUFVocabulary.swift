/// The tokenizer that a GGUF file carries in its metadata, free of the file format.
///
/// Keys are `tokenizer.ggml.*`; tokens are spelled in GPT-2's byte alphabet, control and
/// user-defined ones literally. Source: ggml's gguf.md and llama.cpp's `llama-vocab.cpp`.
public struct GGUFVocabulary: Equatable, Sendable {
  /// `tokenizer.ggml.model`; "gpt2" means byte-level BPE.
  public var model: String
  /// `tokenizer.ggml.pre`, the name of the pre-tokenizer.
  public var pre: String?
  public var tokens: [String]
  /// 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte; empty = all normal.
  public var types: [Int32]
  /// "left right", in rank order.
  public var merges: [String]
  public var bos: Int32?
  public var eos: Int32?
  public var pad: Int32?
  public var unk: Int32?
  public var addBOS: Bool?
  public var addEOS: Bool?
  public var chatTemplate: String?

  public init(
    model: String, pre: String? = nil, tokens: [String], types: [Int32] = [],
    merges: [String] = [], bos: Int32? = nil, eos: Int32? = nil, pad: Int32? = nil,
    unk: Int32? = nil, addBOS: Bool? = nil, addEOS: Bool? = nil, chatTemplate: String? = nil
  ) {
    self.model = model
    self.pre = pre
    self.tokens = tokens
    self.types = types
    self.merges = merges
    self.bos = bos
    self.eos = eos
    self.pad = pad
    self.unk = unk
    self.addBOS = addBOS
    self.addEOS = addEOS
    self.chatTemplate = chatTemplate
  }
}

/// A pre-tokenizer that GGUF names instead of describing.
struct NamedPreTokenizer {
  /// Patterns applied one after another, each isolating its matches.
  var patterns: [String]
  var normalizer: [Normalizer] = []
  var ignoresMerges = false
  /// Whether BOS is put in front where the file does not say.
  var addsBOS = false

  /// Source: llama.cpp, `llm_tokenizer_bpe`. One step away from it: Qwen 2 normalizes to NFC,
  /// because its own tokenizer.json does and llama.cpp leaves that out.
  static func named(_ name: String) -> NamedPreTokenizer? {
    switch name {
    case "gpt-2", "gpt2", "phi-2", "olmo", "mpt", "jina-es", "jina-de":
      NamedPreTokenizer(patterns: [PreTokenizer.gpt2Words])
    case "smollm", "starcoder", "refact", "command-r", "codeshell":
      NamedPreTokenizer(patterns: [#"\p{N}"#, PreTokenizer.gpt2Words])
    case "llama-bpe", "llama3", "llama-v3":
      NamedPreTokenizer(patterns: [llama3Words("{1,3}")], ignoresMerges: true, addsBOS: true)
    case "qwen2", "deepseek-r1-qwen":
      NamedPreTokenizer(patterns: [llama3Words("")], normalizer: [.nfc])
    case "default":
      NamedPreTokenizer(
        patterns: [
          #"[\p{P}\$\+<=>\^~\|]+"#, PreTokenizer.gpt2Words, #"\p{N}+"#, "[0-9][0-9][0-9]",
        ])
    default: nil
    }
  }

  static let names = ["default", "gpt-2", "llama-bpe", "qwen2", "smollm"]

  private static func llama3Words(_ digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }
}

extension Tokenizer {
  /// - Throws: `TokenizerError` where the vocabulary is of another kind or contradicts itself.
  public convenience init(gguf: GGUFVocabulary) throws {
    let path = "GGUF metadata"
    guard gguf.model == "gpt2" else {
      throw TokenizerError(
        .unsupported(
          part: "tokenizer.ggml.model", kind: gguf.model, supported: ["gpt2 (byte-level BPE)"]),
        path: path)
    }
    let pre = gguf.pre ?? "default"
    guard let named = NamedPreTokenizer.named(pre) else {
      throw TokenizerError(
        .unsupported(part: "tokenizer.ggml.pre", kind: pre, supported: NamedPreTokenizer.names),
        path: path)
    }
    guard gguf.types.isEmpty || gguf.types.count == gguf.tokens.count else {
      throw TokenizerError(
        .value(
          place: "tokenizer.ggml.token_type", found: "\(gguf.types.count) long",
          expected: "\(gguf.tokens.count), one a token"), path: path)
    }
    let table = TokenTable(gguf.tokens)
    var merges = MergeTable(capacity: gguf.merges.count)
    for (rank, line) in gguf.merges.enumerated() {
      try merges.append(line: line, rank: rank, in: table, path: path)
    }
    func token(_ key: String, _ id: Int32?) throws -> String? {
      guard let id else { return nil }
      guard let text = table.text(id) else {
        throw TokenizerError(
          .value(
            place: "tokenizer.ggml.\(key)_token_id", found: "\(id)",
            expected: "an id in 0..<\(gguf.tokens.count)"), path: path)
      }
      return text
    }
    let special = SpecialTokens(
      bos: try token("bos", gguf.bos), eos: try token("eos", gguf.eos),
      pad: try token("padding", gguf.pad), unk: try token("unknown", gguf.unk))
    var post = PostProcessor()
    if let bos = gguf.bos, gguf.addBOS ?? named.addsBOS { post.before = [bos] }
    if let eos = gguf.eos, gguf.addEOS ?? false { post.after = [eos] }
    var steps: [PreTokenizer] = []
    for pattern in named.patterns {
      steps.append(.split(try Pattern(pattern, path: path), .isolated, invert: false))
    }
    steps.append(.byteLevel(addPrefixSpace: false, words: nil))
    let parts = TokenizerParts(
      tokens: gguf.tokens, vocabulary: table, added: Self.added(gguf), normalizer: named.normalizer,
      preTokenizer: .sequence(steps),
      model: BytePairModel(
        vocabulary: table, merges: merges, unknown: nil, fusesUnknown: false,
        ignoresMerges: named.ignoresMerges),
      post: post, decoder: .byteLevel)
    try self.init(parts: parts, special: special, original: nil, path: path)
  }

  /// Control tokens are special, user-defined ones are only recognised.
  private static func added(_ gguf: GGUFVocabulary) -> [AddedToken] {
    gguf.types.enumerated().compactMap { id, type in
      guard type == 2 || type == 3 || type == 4, !gguf.tokens[id].isEmpty else { return nil }
      return AddedToken(id: Int32(id), content: gguf.tokens[id], special: type != 4)
    }
  }
}
