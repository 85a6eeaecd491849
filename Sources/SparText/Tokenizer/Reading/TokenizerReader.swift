import Foundation

/// Reads a Hugging Face tokenizer.json.
///
/// Each part of the file (normalizer, pre_tokenizer, model, post_processor, decoder) has one
/// function in an extension that turns its `type` into a value; a new kind is a new case there.
struct TokenizerReader {
  let path: String
  /// `model.unk_token`, or the piece of `model.unk_id`.
  var unknownToken: String?

  /// No vocabulary comes near; the limit keeps a hostile id from claiming all memory.
  static let largestID = 1 << 24

  init(path: String) {
    self.path = path
  }

  mutating func read(_ data: Data) throws(TokenizerError) -> TokenizerParts {
    let root: JSONNode
    do throws(JSONSyntaxError) {
      root = try JSONParser.parse(data)
    } catch {
      throw TokenizerError(.json(what: error.what, offset: error.offset), path: path)
    }
    guard root.members != nil else { throw wrongType("the file", "an object", root) }
    let modelNode = try required("model", of: root, "the file")
    let normalizer = try optional(root["normalizer"]) { node throws(TokenizerError) in
      try normalizers(node, "normalizer")
    }
    var preTokenizer = try optional(root["pre_tokenizer"]) { node throws(TokenizerError) in
      try self.preTokenizer(node, "pre_tokenizer")
    }
    let decoder = try optional(root["decoder"]) { node throws(TokenizerError) in
      try decoders(node, "decoder")
    }
    var tokens = try vocabulary(modelNode)
    let modelTable = TokenTable(tokens)
    let added = try addedTokens(root["added_tokens"], extending: &tokens)
    let table = added.isEmpty ? modelTable : TokenTable(tokens)
    let model = try self.model(modelNode, modelTable, table, isOnBytes: &preTokenizer)
    let post = try optional(root["post_processor"]) { node throws(TokenizerError) in
      try postProcessor(node, "post_processor", table)
    }
    return TokenizerParts(
      tokens: tokens, vocabulary: table, added: added, normalizer: normalizer ?? [],
      preTokenizer: preTokenizer, model: model, post: post ?? PostProcessor(), decoder: decoder)
  }

  func place(
    _ token: String, _ id: Int, _ place: String, in tokens: inout [String]
  ) throws(TokenizerError) {
    guard id >= 0, id < Self.largestID else {
      throw TokenizerError(
        .value(place: place, found: "\(id)", expected: "an id in 0..<\(Self.largestID)"),
        path: path)
    }
    if id >= tokens.count {
      tokens.append(contentsOf: repeatElement("", count: id + 1 - tokens.count))
    }
    tokens[id] = token
  }

  private func addedTokens(
    _ node: JSONNode?, extending tokens: inout [String]
  ) throws(TokenizerError) -> [AddedToken] {
    guard let node, !node.isNull else { return [] }
    guard let list = node.array else { throw wrongType("added_tokens", "an array", node) }
    var added: [AddedToken] = []
    for (i, entry) in list.enumerated() {
      let place = "added_tokens[\(i)]"
      let id = try required("id", of: entry, place)
      let content = try required("content", of: entry, place)
      guard let id = id.integer else { throw wrongType("\(place).id", "an integer", id) }
      guard let content = content.string else {
        throw wrongType("\(place).content", "a string", content)
      }
      try self.place(content, id, "\(place).id", in: &tokens)
      added.append(
        AddedToken(
          id: Int32(id), content: content,
          special: try flag("special", of: entry, place, default: false),
          normalized: try flag("normalized", of: entry, place, default: false),
          singleWord: try flag("single_word", of: entry, place, default: false),
          stripsLeft: try flag("lstrip", of: entry, place, default: false),
          stripsRight: try flag("rstrip", of: entry, place, default: false)))
    }
    return added
  }

  // MARK: Reading members

  func required(
    _ key: String, of node: JSONNode, _ place: String
  ) throws(TokenizerError) -> JSONNode {
    guard node.members != nil else { throw wrongType(place, "an object", node) }
    guard let value = node[key] else {
      throw TokenizerError(.missing(key: key, place: place), path: path)
    }
    return value
  }

  func optional<Value>(
    _ node: JSONNode?, _ read: (JSONNode) throws(TokenizerError) -> Value
  ) throws(TokenizerError) -> Value? {
    guard let node, !node.isNull else { return nil }
    return try read(node)
  }

  func kind(_ node: JSONNode, _ place: String) throws(TokenizerError) -> String {
    try string("type", of: node, place)
  }

  func string(
    _ key: String, of node: JSONNode, _ place: String, default fallback: String? = nil
  ) throws(TokenizerError) -> String {
    if let fallback, node[key]?.isNull ?? true { return fallback }
    let value = try required(key, of: node, place)
    guard let text = value.string else { throw wrongType("\(place).\(key)", "a string", value) }
    return text
  }

  func flag(
    _ key: String, of node: JSONNode, _ place: String, default fallback: Bool
  ) throws(TokenizerError) -> Bool {
    guard let value = node[key], !value.isNull else { return fallback }
    guard let flag = value.boolean else {
      throw wrongType("\(place).\(key)", "true or false", value)
    }
    return flag
  }

  func integer(
    _ key: String, of node: JSONNode, _ place: String, default fallback: Int
  ) throws(TokenizerError) -> Int {
    guard let value = node[key], !value.isNull else { return fallback }
    guard let number = value.integer else {
      throw wrongType("\(place).\(key)", "an integer", value)
    }
    return number
  }

  func list(
    _ key: String, of node: JSONNode, _ place: String
  ) throws(TokenizerError) -> [JSONNode] {
    let value = try required(key, of: node, place)
    guard let list = value.array else { throw wrongType("\(place).\(key)", "an array", value) }
    return list
  }

  func wrongType(_ place: String, _ expected: String, _ found: JSONNode) -> TokenizerError {
    TokenizerError(.wrongType(place: place, expected: expected, found: found.kind), path: path)
  }

  func unsupported(_ part: String, _ kind: String, _ supported: [String]) -> TokenizerError {
    TokenizerError(.unsupported(part: part, kind: kind, supported: supported), path: path)
  }
}
