extension Tokenizer {
  /// - Throws: `TokenizerError` where the vocabulary is of another kind or contradicts itself.
  public convenience init(gguf: GGUFVocabulary) throws {
    let reader = GGUFReader(gguf: gguf)
    try reader.checkLengths()
    let special = SpecialTokens(
      bos: try reader.token("bos", gguf.bos), eos: try reader.token("eos", gguf.eos),
      pad: try reader.token("padding", gguf.pad), unk: try reader.token("unknown", gguf.unk))
    let parts =
      switch gguf.model {
      case "gpt2": try reader.byteLevel()
      case "llama": try reader.sentencePiece()
      default:
        throw TokenizerError(
          .unsupported(
            part: "tokenizer.ggml.model", kind: gguf.model,
            supported: ["gpt2 (byte-level BPE)", "llama (SentencePiece BPE)"]), path: reader.path)
      }
    try self.init(parts: parts, special: special, original: nil, path: reader.path)
  }
}

/// Turns GGUF metadata into the parts of a tokenizer.
struct GGUFReader {
  let gguf: GGUFVocabulary
  let path = "GGUF metadata"

  func checkLengths() throws(TokenizerError) {
    for (name, count) in [("token_type", gguf.types.count), ("scores", gguf.scores.count)]
    where count != 0 && count != gguf.tokens.count {
      throw TokenizerError(
        .value(
          place: "tokenizer.ggml.\(name)", found: "\(count) long",
          expected: "\(gguf.tokens.count), one a token"), path: path)
    }
  }

  func token(_ key: String, _ id: Int32?) throws(TokenizerError) -> String? {
    guard let id else { return nil }
    guard id >= 0, id < gguf.tokens.count, !gguf.tokens[Int(id)].isEmpty else {
      throw TokenizerError(
        .value(
          place: "tokenizer.ggml.\(key)_token_id", found: "\(id)",
          expected: "an id in 0..<\(gguf.tokens.count)"), path: path)
    }
    return gguf.tokens[Int(id)]
  }

  private func post(addsBOS: Bool) -> PostProcessor {
    var post = PostProcessor()
    if let bos = gguf.bos, gguf.addBOS ?? addsBOS { post.before = [bos] }
    if let eos = gguf.eos, gguf.addEOS ?? false { post.after = [eos] }
    return post
  }

  /// Control tokens are special, user-defined ones are only recognised.
  private var added: [AddedToken] {
    gguf.types.enumerated().compactMap { id, type in
      guard type == 2 || type == 3 || type == 4, !gguf.tokens[id].isEmpty else { return nil }
      return AddedToken(id: Int32(id), content: gguf.tokens[id], special: type != 4)
    }
  }

  func byteLevel() throws(TokenizerError) -> TokenizerParts {
    let pre = gguf.pre ?? "default"
    guard let named = NamedPreTokenizer.named(pre) else {
      throw TokenizerError(
        .unsupported(part: "tokenizer.ggml.pre", kind: pre, supported: NamedPreTokenizer.names),
        path: path)
    }
    let table = TokenTable(gguf.tokens)
    var merges = MergeTable(capacity: gguf.merges.count)
    for (rank, line) in gguf.merges.enumerated() {
      try merges.append(line: line, rank: rank, in: table, path: path)
    }
    var steps: [PreTokenizer] = []
    for pattern in named.patterns {
      let finder = TextFinder.pattern(try Pattern(pattern, path: path))
      steps.append(.split(finder, .isolated, invert: false))
    }
    steps.append(.byteLevel(addPrefixSpace: false, words: nil, mapsBytes: false))
    var options = BytePairModel.Options()
    options.isByteLevel = true
    options.ignoresMerges = named.ignoresMerges
    return TokenizerParts(
      tokens: gguf.tokens, vocabulary: table, added: added, normalizer: named.normalizer,
      preTokenizer: .sequence(steps),
      model: .bytePairs(BytePairModel(vocabulary: table, merges: merges, options: options)),
      post: post(addsBOS: named.addsBOS), decoder: [.byteLevel])
  }

  func sentencePiece() throws(TokenizerError) -> TokenizerParts {
    guard gguf.scores.count == gguf.tokens.count else {
      throw TokenizerError(
        .missing(key: "tokenizer.ggml.scores", place: "a \"llama\" vocabulary"), path: path)
    }
    // Merges are put in order by score.
    if let id = gguf.scores.firstIndex(where: \.isNaN) {
      throw TokenizerError(
        .value(place: "tokenizer.ggml.scores[\(id)]", found: "nan", expected: "a number"),
        path: path)
    }
    let pieces = gguf.tokens.indices.map { id in
      SentencePieceModel.Piece(
        text: gguf.tokens[id], score: gguf.scores[id],
        kind: gguf.types.isEmpty
          ? .normal : SentencePieceModel.Kind(rawValue: Int(gguf.types[id])) ?? .normal)
    }
    var model = SentencePieceModel(pieces: pieces)
    model.hasByteFallback = pieces.contains { $0.kind == .byte }
    model.normalizer.addsDummyPrefix = gguf.addSpacePrefix ?? true
    model.unknown = gguf.unk.map { Int($0) }
    var parts = try model.parts(path: path)
    parts.added = added
    parts.post = post(addsBOS: true)
    return parts
  }
}
