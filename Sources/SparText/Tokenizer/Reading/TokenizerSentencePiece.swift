import Foundation

extension Tokenizer {
  /// Reads a SentencePiece `.model` file, as Llama 2 has it beside or instead of tokenizer.json.
  ///
  /// BOS goes in front of a text and EOS stays away, unless `config` says otherwise.
  ///
  /// - Parameters:
  ///   - path: for messages only.
  ///   - config: roles of tokens, `add_bos_token`, `add_eos_token`, `legacy` and added tokens.
  /// - Throws: `TokenizerError`.
  public convenience init(
    sentencePiece data: Data, path: String, config: TokenizerConfig? = nil
  ) throws {
    var model = try SentencePieceFile.read(data, path: path)
    // Llama's first tokenizer began every stretch after a special token with a blank of its own.
    model.normalizer.prefixesEveryStretch = config?.isLegacy ?? true
    var parts = try model.parts(path: path)
    try parts.add(config?.addedTokens ?? [], path: path)
    func piece(_ id: Int?) -> String? {
      guard let id, model.pieces.indices.contains(id), !model.pieces[id].text.isEmpty else {
        return nil
      }
      return model.pieces[id].text
    }
    let special = SpecialTokens(
      bos: config?.bosToken ?? piece(model.bos), eos: config?.eosToken ?? piece(model.eos),
      pad: config?.padToken ?? piece(model.pad), unk: config?.unkToken ?? piece(model.unknown))
    if let bos = special.bos, let id = parts.vocabulary.find(bos), config?.addBOSToken ?? true {
      parts.post.before = [id]
    }
    if let eos = special.eos, let id = parts.vocabulary.find(eos), config?.addEOSToken ?? false {
      parts.post.after = [id]
    }
    try self.init(parts: parts, special: special, original: nil, path: path)
  }
}

extension TokenizerParts {
  /// Takes in what a model folder adds to its vocabulary; a token that is there keeps its id.
  mutating func add(
    _ more: [TokenizerConfig.Token], path: String
  ) throws(TokenizerError) {
    // Those that name their ids first; the others follow behind all of them.
    let ordered =
      more.filter { $0.id != nil }.sorted { ($0.id ?? 0) < ($1.id ?? 0) }
      + more.filter { $0.id == nil }
    // The table is made once: for each token it would take as long as reading the vocabulary.
    var fresh: [[UInt8]: Int] = [:]
    defer { if !fresh.isEmpty { vocabulary = TokenTable(tokens) } }
    for token in ordered where !token.content.isEmpty {
      let id: Int
      if let found = vocabulary.find(token.content).map({ Int($0) })
        ?? fresh[Array(token.content.utf8)]
      {
        id = found
      } else {
        id = token.id ?? tokens.count
        guard id >= 0, id < TokenizerReader.largestID, id >= tokens.count || tokens[id].isEmpty
        else {
          throw TokenizerError(
            .value(
              place: "the id of the added token \"\(token.content)\"", found: "\(id)",
              expected: "an id that no other token has"), path: path)
        }
        if id >= tokens.count {
          tokens.append(contentsOf: repeatElement("", count: id + 1 - tokens.count))
        }
        tokens[id] = token.content
        fresh[Array(token.content.utf8)] = id
      }
      added.removeAll { $0.id == Int32(id) }
      added.append(
        AddedToken(
          id: Int32(id), content: token.content, special: token.special,
          normalized: token.normalized, singleWord: token.singleWord,
          stripsLeft: token.stripsLeft, stripsRight: token.stripsRight))
    }
  }
}
