import Foundation

extension Tokenizer {
  /// A tokenizer.json that Hugging Face `tokenizers` loads and that gives the same ids; the
  /// original bytes where there are some.
  public func tokenizerJSON() throws -> Data {
    if let original { return original }
    var out: [UInt8] = []
    out.reserveCapacity(parts.tokens.count * 40)
    JSONWriter.append(try fileNode(), indent: 2, level: 0, to: &out)
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

  func flags(_ token: AddedToken) -> [JSONMember] {
    [
      .init(key: "content", value: .string(token.content)),
      .init(key: "single_word", value: .boolean(token.singleWord)),
      .init(key: "lstrip", value: .boolean(token.stripsLeft)),
      .init(key: "rstrip", value: .boolean(token.stripsRight)),
      // Pieces of SentencePiece are found in normalized text, but Hugging Face would write a mark
      // before them when it normalizes their own text.
      .init(
        key: "normalized",
        value: .boolean(token.normalized && parts.sentencePieceNormalizer == nil)),
      .init(key: "special", value: .boolean(token.special)),
    ]
  }

  private func fileNode() throws(TokenizerError) -> JSONNode {
    let nodes = ExportNodes(parts: parts, path: path)
    let added = parts.added.sorted { $0.id < $1.id }.map { token in
      JSONNode.object([.init(key: "id", value: .integer(Int(token.id)))] + flags(token))
    }
    return .object([
      .init(key: "version", value: .string("1.0")),
      .init(key: "truncation", value: .null),
      .init(key: "padding", value: .null),
      .init(key: "added_tokens", value: .array(added)),
      .init(key: "normalizer", value: try nodes.normalizer()),
      .init(key: "pre_tokenizer", value: try nodes.preTokenizer()),
      .init(key: "post_processor", value: nodes.post),
      .init(key: "decoder", value: try nodes.decoder()),
      .init(key: "model", value: try nodes.model()),
    ])
  }
}
