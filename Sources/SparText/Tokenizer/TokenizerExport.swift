import Foundation

extension Tokenizer {
  /// A tokenizer.json that Hugging Face `tokenizers` loads and that gives the same ids; the
  /// original bytes where there are some.
  public func tokenizerJSON() throws -> Data {
    if let original { return original }
    var out: [UInt8] = []
    out.reserveCapacity(parts.tokens.count * 40)
    JSONWriter.append(fileNode, indent: 2, level: 0, to: &out)
    out.append(0x0A)
    return Data(out)
  }

  /// A tokenizer_config.json for `transformers`.
  public func tokenizerConfigJSON(chatTemplate: String?) throws -> Data {
    var members: [JSONMember] = []
    func add(_ key: String, _ value: JSONNode) { members.append(.init(key: key, value: value)) }
    add(
      "added_tokens_decoder",
      .object(
        parts.added.sorted { $0.id < $1.id }.map { token in
          JSONMember(key: String(token.id), value: .object(flags(token)))
        }))
    for (key, token) in [
      ("bos_token", special.bos), ("eos_token", special.eos), ("pad_token", special.pad),
      ("unk_token", special.unk),
    ] {
      add(key, token.map(JSONNode.string) ?? .null)
    }
    add("clean_up_tokenization_spaces", .boolean(false))
    if let chatTemplate { add("chat_template", .string(chatTemplate)) }
    add("tokenizer_class", .string("PreTrainedTokenizerFast"))
    return Data((JSONWriter.text(.object(members), indent: 2) + "\n").utf8)
  }

  private func flags(_ token: AddedToken) -> [JSONMember] {
    [
      .init(key: "content", value: .string(token.content)),
      .init(key: "single_word", value: .boolean(token.singleWord)),
      .init(key: "lstrip", value: .boolean(token.stripsLeft)),
      .init(key: "rstrip", value: .boolean(token.stripsRight)),
      .init(key: "normalized", value: .boolean(token.normalized)),
      .init(key: "special", value: .boolean(token.special)),
    ]
  }

  private var fileNode: JSONNode {
    .object([
      .init(key: "version", value: .string("1.0")),
      .init(key: "truncation", value: .null),
      .init(key: "padding", value: .null),
      .init(
        key: "added_tokens",
        value: .array(
          parts.added.sorted { $0.id < $1.id }.map { token in
            .object([.init(key: "id", value: .integer(Int(token.id)))] + flags(token))
          })),
      .init(key: "normalizer", value: normalizerNode),
      .init(key: "pre_tokenizer", value: node(parts.preTokenizer)),
      .init(key: "post_processor", value: postNode),
      .init(key: "decoder", value: parts.decoder == .byteLevel ? byteLevelNode(false) : .null),
      .init(key: "model", value: modelNode),
    ])
  }

  private func typed(_ type: String, _ members: [JSONMember] = []) -> JSONNode {
    .object([.init(key: "type", value: .string(type))] + members)
  }

  private var normalizerNode: JSONNode {
    guard !parts.normalizer.isEmpty else { return .null }
    let nodes = parts.normalizer.map { typed($0.rawValue) }
    return nodes.count == 1
      ? nodes[0] : typed("Sequence", [.init(key: "normalizers", value: .array(nodes))])
  }

  private func byteLevelNode(_ addPrefixSpace: Bool, usesWords: Bool = true) -> JSONNode {
    typed(
      "ByteLevel",
      [
        .init(key: "add_prefix_space", value: .boolean(addPrefixSpace)),
        .init(key: "trim_offsets", value: .boolean(true)),
        .init(key: "use_regex", value: .boolean(usesWords)),
      ])
  }

  private func node(_ pre: PreTokenizer) -> JSONNode {
    switch pre {
    case .byteLevel(let addPrefixSpace, let words):
      byteLevelNode(addPrefixSpace, usesWords: words != nil)
    case .digits(let individual, _):
      typed("Digits", [.init(key: "individual_digits", value: .boolean(individual))])
    case .split(let pattern, let behavior, let invert):
      typed(
        "Split",
        [
          .init(
            key: "pattern",
            value: .object([.init(key: "Regex", value: .string(pattern.source))])),
          .init(key: "behavior", value: .string(behavior.rawValue)),
          .init(key: "invert", value: .boolean(invert)),
        ])
    case .sequence(let parts):
      typed("Sequence", [.init(key: "pretokenizers", value: .array(parts.map(node)))])
    }
  }

  /// TemplateProcessing with what surrounds the text; a pair is two singles.
  private var postNode: JSONNode {
    func mark(_ id: Int32, _ type: Int) -> JSONNode {
      .object([
        .init(
          key: "SpecialToken",
          value: .object([
            .init(key: "id", value: .string(token(id) ?? "")),
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
        key: token(id) ?? "",
        value: .object([
          .init(key: "id", value: .string(token(id) ?? "")),
          .init(key: "ids", value: .array([.integer(Int(id))])),
          .init(key: "tokens", value: .array([.string(token(id) ?? "")])),
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

  private var modelNode: JSONNode {
    let vocabulary = parts.tokens.enumerated().compactMap { id, token in
      token.isEmpty ? nil : JSONMember(key: token, value: .integer(id))
    }
    let merges = parts.model.merges.pairs.map { left, right in
      JSONNode.string((token(left) ?? "") + " " + (token(right) ?? ""))
    }
    return typed(
      "BPE",
      [
        .init(key: "dropout", value: .null),
        .init(key: "unk_token", value: .null),
        .init(key: "continuing_subword_prefix", value: .null),
        .init(key: "end_of_word_suffix", value: .null),
        .init(key: "fuse_unk", value: .boolean(false)),
        .init(key: "byte_fallback", value: .boolean(false)),
        .init(key: "ignore_merges", value: .boolean(parts.model.ignoresMerges)),
        .init(key: "vocab", value: .object(vocabulary)),
        .init(key: "merges", value: .array(merges)),
      ])
  }
}
