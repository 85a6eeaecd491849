import Foundation

/// The parts of a tokenizer as nodes of tokenizer.json.
///
/// Needed for tokenizers that came from GGUF or SentencePiece; those from tokenizer.json keep their
/// file. Kinds that only tokenizer.json can bring are therefore refused here.
struct ExportNodes {
  let parts: TokenizerParts
  let path: String

  private func typed(_ type: String, _ members: [JSONMember] = []) -> JSONNode {
    .object([.init(key: "type", value: .string(type))] + members)
  }

  private func refused(_ part: String) -> TokenizerError {
    TokenizerError(
      .unsupported(
        part: part, kind: "of this tokenizer, for export",
        supported: ["those that GGUF and SentencePiece files have"]), path: path)
  }

  /// One node as it is, more as a Sequence, none as null.
  private func sequence(_ nodes: [JSONNode], _ key: String) -> JSONNode {
    nodes.count > 1
      ? typed("Sequence", [.init(key: key, value: .array(nodes))]) : nodes.first ?? .null
  }

  private func text(_ bytes: [UInt8]) -> JSONNode {
    .string(String(decoding: bytes, as: UTF8.self))
  }

  // MARK: Normalizer

  func normalizer() throws(TokenizerError) -> JSONNode {
    var nodes: [JSONNode] = []
    for normalizer in parts.normalizer {
      switch normalizer {
      case .form(let form): nodes.append(typed(form.rawValue))
      case .sentencePiece(let whole): nodes += try self.nodes(whole)
      default: throw refused("normalizer")
      }
    }
    return sequence(nodes, "normalizers")
  }

  private func replace(_ kind: String, _ wanted: String, _ content: JSONNode) -> JSONNode {
    typed(
      "Replace",
      [
        .init(
          key: "pattern", value: .object([.init(key: kind, value: .string(wanted))])),
        .init(key: "content", value: content),
      ])
  }

  /// What transformers makes of a SentencePiece model. Its Precompiled goes by grapheme clusters,
  /// not by the longest match, which shows on rare sequences only.
  private func nodes(
    _ whole: SentencePieceNormalizer
  ) throws(TokenizerError) -> [JSONNode] {
    if whole.dummyIsSuffix { throw refused("treat_whitespace_as_suffix") }
    var nodes: [JSONNode] = []
    if let map = whole.map {
      let blob = Data(map.blob).base64EncodedString()
      nodes.append(
        typed("Precompiled", [.init(key: "precompiled_charsmap", value: .string(blob))]))
    }
    if whole.removesExtraSpaces {
      nodes.append(
        typed(
          "Strip",
          [
            .init(key: "strip_left", value: .boolean(true)),
            .init(key: "strip_right", value: .boolean(true)),
          ]))
      nodes.append(replace("Regex", " {2,}", .string(" ")))
    }
    let space = whole.escapesSpaces ? SentencePieceNormalizer.mark : [0x20]
    if whole.addsDummyPrefix, whole.prefixesEveryStretch {
      nodes.append(typed("Prepend", [.init(key: "prepend", value: text(space))]))
    }
    if whole.escapesSpaces { nodes.append(replace("String", " ", text(space))) }
    return nodes
  }

  // MARK: Pre-tokenizer

  func preTokenizer() throws(TokenizerError) -> JSONNode {
    if let pre = parts.preTokenizer { return try node(pre) }
    guard let whole = parts.sentencePieceNormalizer, whole.addsDummyPrefix,
      !whole.prefixesEveryStretch, whole.escapesSpaces
    else { return .null }
    return typed(
      "Metaspace",
      [
        .init(key: "replacement", value: text(SentencePieceNormalizer.mark)),
        .init(key: "prepend_scheme", value: .string("first")),
        .init(key: "split", value: .boolean(false)),
      ])
  }

  private func node(_ pre: PreTokenizer) throws(TokenizerError) -> JSONNode {
    switch pre {
    case .byteLevel(let addPrefixSpace, let words, _):
      return byteLevel(addPrefixSpace, usesWords: words != nil)
    case .split(.pattern(let pattern), let behavior, let invert):
      return typed(
        "Split",
        [
          .init(
            key: "pattern",
            value: .object([.init(key: "Regex", value: .string(pattern.source))])),
          .init(key: "behavior", value: .string(behavior.rawValue)),
          .init(key: "invert", value: .boolean(invert)),
        ])
    case .sequence(let parts):
      var nodes: [JSONNode] = []
      for part in parts { nodes.append(try node(part)) }
      return typed("Sequence", [.init(key: "pretokenizers", value: .array(nodes))])
    default: throw refused("pre_tokenizer")
    }
  }

  private func byteLevel(_ addPrefixSpace: Bool, usesWords: Bool = true) -> JSONNode {
    typed(
      "ByteLevel",
      [
        .init(key: "add_prefix_space", value: .boolean(addPrefixSpace)),
        .init(key: "trim_offsets", value: .boolean(true)),
        .init(key: "use_regex", value: .boolean(usesWords)),
      ])
  }

  // MARK: Post-processor and decoder

  /// TemplateProcessing with what surrounds the text; a pair is two singles.
  var post: JSONNode {
    func mark(_ id: Int32, _ type: Int) -> JSONNode {
      .object([
        .init(
          key: "SpecialToken",
          value: .object([
            .init(key: "id", value: .string(parts.vocabulary.text(id) ?? "")),
            .init(key: "type_id", value: .integer(type)),
          ]))
      ])
    }
    func single(_ name: String, _ type: Int) -> [JSONNode] {
      parts.post.before.map { mark($0, type) } + [
        .object([
          .init(
            key: "Sequence",
            value: .object([
              .init(key: "id", value: .string(name)), .init(key: "type_id", value: .integer(type)),
            ]))
        ])
      ] + parts.post.after.map { mark($0, type) }
    }
    let marks = Set(parts.post.before + parts.post.after).sorted().map { id in
      JSONMember(
        key: parts.vocabulary.text(id) ?? "",
        value: .object([
          .init(key: "id", value: .string(parts.vocabulary.text(id) ?? "")),
          .init(key: "ids", value: .array([.integer(Int(id))])),
          .init(key: "tokens", value: .array([.string(parts.vocabulary.text(id) ?? "")])),
        ]))
    }
    return typed(
      "TemplateProcessing",
      [
        .init(key: "single", value: .array(single("A", 0))),
        .init(key: "pair", value: .array(single("A", 0) + single("B", 1))),
        .init(key: "special_tokens", value: .object(marks)),
      ])
  }

  func decoder() throws(TokenizerError) -> JSONNode {
    var nodes: [JSONNode] = []
    for step in parts.decoder ?? [] {
      switch step {
      case .byteLevel: nodes.append(byteLevel(false))
      case .byteFallback: nodes.append(typed("ByteFallback"))
      case .fuse: nodes.append(typed("Fuse"))
      case .strip(let content, let start, let stop):
        nodes.append(
          typed(
            "Strip",
            [
              .init(key: "content", value: text(content)),
              .init(key: "start", value: .integer(start)),
              .init(key: "stop", value: .integer(stop)),
            ]))
      case .replace(let source, let content):
        guard case .literal(let wanted) = source.finder else { throw refused("decoder") }
        let literal = String(decoding: wanted, as: UTF8.self)
        nodes.append(replace("String", literal, text(content)))
      default: throw refused("decoder")
      }
    }
    return sequence(nodes, "decoders")
  }

  // MARK: Model

  func model() throws(TokenizerError) -> JSONNode {
    switch parts.model {
    case .bytePairs(let model): return bytePairs(model)
    case .unigram(let model):
      let pieces = model.scores.indices.map { id in
        JSONNode.array([.string(parts.tokens[id]), .number(model.scores[id])])
      }
      return typed(
        "Unigram",
        [
          .init(key: "unk_id", value: .integer(Int(model.unknown))),
          .init(key: "vocab", value: .array(pieces)),
          .init(key: "byte_fallback", value: .boolean(model.hasByteFallback)),
        ])
    case .wordPiece, .wordLevel: throw refused("model")
    }
  }

  private func bytePairs(_ model: BytePairModel) -> JSONNode {
    let vocabulary = parts.tokens.enumerated().compactMap { id, token in
      token.isEmpty ? nil : JSONMember(key: token, value: .integer(id))
    }
    func spelled(_ id: Int32) -> JSONNode { .string(parts.vocabulary.text(id) ?? "") }
    let merges = model.merges.pairs.map { JSONNode.array([spelled($0.left), spelled($0.right)]) }
    let unknown = model.options.unknown.map(spelled) ?? .null
    return typed(
      "BPE",
      [
        .init(key: "dropout", value: .null),
        .init(key: "unk_token", value: unknown),
        .init(key: "continuing_subword_prefix", value: .null),
        .init(key: "end_of_word_suffix", value: .null),
        .init(key: "fuse_unk", value: .boolean(model.options.fusesUnknown)),
        .init(key: "byte_fallback", value: .boolean(model.options.byteFallback)),
        .init(key: "ignore_merges", value: .boolean(model.options.ignoresMerges)),
        .init(key: "vocab", value: .object(vocabulary)),
        .init(key: "merges", value: .array(merges)),
      ])
  }
}

extension TokenizerParts {
  var sentencePieceNormalizer: SentencePieceNormalizer? {
    for case .sentencePiece(let normalizer) in normalizer { return normalizer }
    return nil
  }
}
