import Foundation

/// What a model folder says about its tokenizer beside tokenizer.json: the tokens with a role and
/// the chat templates.
///
///     var config = try TokenizerConfig(tokenizerConfig: data, path: "tokenizer_config.json")
///     try config.add(specialTokensMap: other, path: "special_tokens_map.json")
public struct TokenizerConfig: Equatable, Sendable {
  public var bosToken: String?
  public var eosToken: String?
  public var padToken: String?
  public var unkToken: String?
  public var addBOSToken: Bool?
  public var addEOSToken: Bool?
  /// `legacy` of Llama's tokenizer: a blank before every stretch between special tokens.
  public var isLegacy: Bool?
  /// Tokens beside the vocabulary: `added_tokens_decoder`, added_tokens.json and the tokens with
  /// a role. Only a SentencePiece model needs them; tokenizer.json holds its own.
  public private(set) var addedTokens: [Token] = []
  /// The templates by name, in the order of the file; a lone one is named "default".
  public var chatTemplates: [NamedTemplate] = []
  /// All ids that end a generation, from generation_config.json.
  public var eosTokenIDs: [Int32] = []

  public struct NamedTemplate: Equatable, Sendable {
    public var name: String
    public var source: String

    public init(name: String, source: String) {
      self.name = name
      self.source = source
    }
  }

  /// A token as `transformers` describes it.
  public struct Token: Equatable, Sendable {
    public var content: String
    /// nil: the next free one.
    public var id: Int?
    public var special: Bool
    public var normalized: Bool
    public var singleWord = false
    public var stripsLeft = false
    public var stripsRight = false
  }

  public init() {}

  /// - Throws: `TokenizerError` for text that is not JSON or a field of a wrong type.
  public init(tokenizerConfig data: Data, path: String) throws(TokenizerError) {
    let root = try Self.object(data, path)
    try takeTokens(root, path)
    addBOSToken = try Self.flag(root, "add_bos_token", path)
    addEOSToken = try Self.flag(root, "add_eos_token", path)
    isLegacy = try Self.flag(root, "legacy", path)
    for (key, node) in (root["added_tokens_decoder"]?.members ?? []).map({ ($0.key, $0.value) }) {
      guard let id = Int(key), node.members != nil else {
        throw TokenizerError(
          .value(
            place: "added_tokens_decoder", found: "\"\(key)\": \(node.kind)",
            expected: "an id and a token"), path: path)
      }
      try addToken(node, id: id, special: nil, path)
    }
    switch root["chat_template"] {
    case nil, .null: break
    case .string(let source): chatTemplates = [NamedTemplate(name: "default", source: source)]
    case .array(let list):
      for (i, entry) in list.enumerated() {
        guard let name = entry["name"]?.string, let source = entry["template"]?.string else {
          throw TokenizerError(
            .wrongType(
              place: "chat_template[\(i)]", expected: "an object with name and template",
              found: entry.kind), path: path)
        }
        chatTemplates.append(NamedTemplate(name: name, source: source))
      }
    case .some(let other):
      throw TokenizerError(
        .wrongType(
          place: "chat_template", expected: "a string or named templates", found: other.kind),
        path: path)
    }
  }

  /// The template called "default", else the only one.
  public var chatTemplate: String? {
    chatTemplates.first { $0.name == "default" }?.source
      ?? (chatTemplates.count == 1 ? chatTemplates[0].source : nil)
  }

  /// Takes added_tokens.json: {"<token>": id, …}.
  public mutating func add(addedTokens data: Data, path: String) throws(TokenizerError) {
    for member in try Self.object(data, path).members ?? [] {
      guard let id = member.value.integer else {
        throw TokenizerError(
          .wrongType(place: member.key, expected: "an id", found: member.value.kind), path: path)
      }
      try addToken(.string(member.key), id: id, special: false, path)
    }
  }

  /// A token given by its text or with its flags; what is known already gets flags and id that it
  /// lacks. A special token is not normalized unless it says so.
  private mutating func addToken(
    _ node: JSONNode, id: Int?, special: Bool?, _ path: String
  ) throws(TokenizerError) {
    guard let content = node.string ?? node["content"]?.string, !content.isEmpty else {
      throw TokenizerError(
        .wrongType(place: "a token", expected: "its text or its content", found: node.kind),
        path: path)
    }
    var isSpecial = special ?? false
    if special == nil { isSpecial = try Self.flag(node, "special", path) ?? false }
    if let i = addedTokens.firstIndex(where: { Array($0.content.utf8) == Array(content.utf8) }) {
      addedTokens[i].id = addedTokens[i].id ?? id
      if isSpecial, !addedTokens[i].special {
        addedTokens[i].special = true
        addedTokens[i].normalized = false
      }
      return
    }
    addedTokens.append(
      Token(
        content: content, id: id, special: isSpecial,
        normalized: try Self.flag(node, "normalized", path) ?? !isSpecial,
        singleWord: try Self.flag(node, "single_word", path) ?? false,
        stripsLeft: try Self.flag(node, "lstrip", path) ?? false,
        stripsRight: try Self.flag(node, "rstrip", path) ?? false))
  }

  /// Takes from special_tokens_map.json what is not yet known.
  public mutating func add(specialTokensMap data: Data, path: String) throws(TokenizerError) {
    try takeTokens(try Self.object(data, path), path)
  }

  /// Takes the end-of-generation ids from generation_config.json.
  public mutating func add(generationConfig data: Data, path: String) throws(TokenizerError) {
    let root = try Self.object(data, path)
    let ids: [JSONNode]
    switch root["eos_token_id"] {
    case nil, .null: return
    case .array(let list): ids = list
    case .some(let one): ids = [one]
    }
    eosTokenIDs = []
    for node in ids {
      guard let id = node.integer, let id = Int32(exactly: id) else {
        throw TokenizerError(
          .wrongType(place: "eos_token_id", expected: "an id or ids", found: node.kind), path: path)
      }
      eosTokenIDs.append(id)
    }
  }

  private mutating func takeTokens(_ root: JSONNode, _ path: String) throws(TokenizerError) {
    if bosToken == nil { bosToken = try Self.token(root, "bos_token", path) }
    if eosToken == nil { eosToken = try Self.token(root, "eos_token", path) }
    if padToken == nil { padToken = try Self.token(root, "pad_token", path) }
    if unkToken == nil { unkToken = try Self.token(root, "unk_token", path) }
    var special = ["bos_token", "eos_token", "pad_token", "unk_token"].compactMap { root[$0] }
    special += root["additional_special_tokens"]?.array ?? []
    for node in special where !node.isNull {
      try addToken(node, id: nil, special: true, path)
    }
  }

  /// "x" or {"content": "x", …}
  private static func token(
    _ root: JSONNode, _ key: String, _ path: String
  ) throws(TokenizerError) -> String? {
    guard let node = root[key], !node.isNull else { return nil }
    guard let text = node.string ?? node["content"]?.string else {
      throw TokenizerError(
        .wrongType(place: key, expected: "a token", found: node.kind), path: path)
    }
    return text
  }

  private static func flag(
    _ root: JSONNode, _ key: String, _ path: String
  ) throws(TokenizerError) -> Bool? {
    guard let node = root[key], !node.isNull else { return nil }
    guard let value = node.boolean else {
      throw TokenizerError(
        .wrongType(place: key, expected: "true or false", found: node.kind), path: path)
    }
    return value
  }

  private static func object(_ data: Data, _ path: String) throws(TokenizerError) -> JSONNode {
    do throws(JSONSyntaxError) {
      let root = try JSONParser.parse(data)
      if root.members != nil { return root }
      throw JSONSyntaxError(what: "the file is \(root.kind), not an object", offset: 0)
    } catch {
      throw TokenizerError(.json(what: error.what, offset: error.offset), path: path)
    }
  }
}
