import Foundation

/// Reads a Hugging Face tokenizer.json.
///
/// Each part of the file (normalizer, pre_tokenizer, model, post_processor, decoder) has one
/// function here that turns its `type` into a value; a new kind is a new case there.
struct TokenizerReader {
  let path: String
  /// `model.unk_token`.
  private(set) var unknownToken: String?

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
    let model = try required("model", of: root, "the file")
    let kind = model["type"]?.string ?? (model["merges"] == nil ? "without a type" : "BPE")
    guard kind == "BPE" else { throw unsupported("model", kind, ["BPE"]) }
    try refuseVariants(model)

    let normalizer = try optional(root["normalizer"]) { node throws(TokenizerError) in
      try normalizers(node)
    }
    let preTokenizer = try optional(root["pre_tokenizer"]) { node throws(TokenizerError) in
      try self.preTokenizer(node, "pre_tokenizer")
    }
    guard let preTokenizer, preTokenizer.isByteLevel else {
      throw unsupported(
        "pre_tokenizer of a BPE model", "without ByteLevel", ["ByteLevel, alone or in a Sequence"])
    }
    let decoder = try optional(root["decoder"]) { node throws(TokenizerError) in
      try self.decoder(node)
    }

    var tokens = try vocabulary(try required("vocab", of: model, "model"))
    let modelTable = TokenTable(tokens)
    let added = try addedTokens(root["added_tokens"], extending: &tokens)
    let table = TokenTable(tokens)
    unknownToken = model["unk_token"]?.string
    var unknown: Int32?
    if let unknownToken {
      guard let id = table.find(unknownToken) else {
        throw TokenizerError(
          .unknownToken(token: unknownToken, place: "model.unk_token"), path: path)
      }
      unknown = id
    }
    let merges = try self.merges(try required("merges", of: model, "model"), modelTable)
    let post = try optional(root["post_processor"]) { node throws(TokenizerError) in
      try postProcessor(node, "post_processor", table)
    }
    return TokenizerParts(
      tokens: tokens, vocabulary: table, added: added, normalizer: normalizer ?? [],
      preTokenizer: preTokenizer,
      model: BytePairModel(
        vocabulary: modelTable, merges: merges, unknown: unknown,
        fusesUnknown: model["fuse_unk"]?.boolean ?? false,
        ignoresMerges: model["ignore_merges"]?.boolean ?? false),
      post: post ?? PostProcessor(), decoder: decoder ?? .spaced)
  }

  // MARK: The model

  /// Variants of BPE that would change ids.
  private func refuseVariants(_ model: JSONNode) throws(TokenizerError) {
    if model["byte_fallback"]?.boolean == true {
      throw unsupported("model", "BPE with byte_fallback (SentencePiece style)", ["byte-level BPE"])
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let text = model[key]?.string, !text.isEmpty {
        throw unsupported("model", "BPE with \(key) \"\(text)\"", ["byte-level BPE"])
      }
    }
    if let dropout = model["dropout"], !dropout.isNull, dropout != .number(0),
      dropout != .integer(0)
    {
      throw unsupported("model", "BPE with dropout", ["BPE without dropout"])
    }
  }

  /// No vocabulary comes near; the limit keeps a hostile id from claiming all memory.
  static let largestID = 1 << 24

  private func vocabulary(_ node: JSONNode) throws(TokenizerError) -> [String] {
    guard let members = node.members else { throw wrongType("model.vocab", "an object", node) }
    var tokens = [String](repeating: "", count: members.count)
    for member in members {
      guard let id = member.value.integer else {
        throw wrongType("model.vocab[\"\(member.key)\"]", "an integer", member.value)
      }
      try place(member.key, id, "model.vocab[\"\(member.key)\"]", in: &tokens)
    }
    return tokens
  }

  private func place(
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

  /// "a b" or ["a", "b"], in rank order.
  private func merges(_ node: JSONNode, _ table: TokenTable) throws(TokenizerError) -> MergeTable {
    guard let lines = node.array else { throw wrongType("model.merges", "an array", node) }
    var merges = MergeTable(capacity: lines.count)
    for (rank, line) in lines.enumerated() {
      switch line {
      case .array(let pair):
        guard pair.count == 2, let left = pair[0].string, let right = pair[1].string else {
          throw wrongType("model.merges[\(rank)]", "two strings", line)
        }
        try merges.append(left, right, rank: rank, in: table, path: path)
      case .string(let text):
        try merges.append(line: text, rank: rank, in: table, path: path)
      default: throw wrongType("model.merges[\(rank)]", "two strings", line)
      }
    }
    return merges
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
          id: Int32(id), content: content, special: entry["special"]?.boolean ?? false,
          normalized: entry["normalized"]?.boolean ?? false,
          singleWord: entry["single_word"]?.boolean ?? false,
          stripsLeft: entry["lstrip"]?.boolean ?? false,
          stripsRight: entry["rstrip"]?.boolean ?? false))
    }
    return added
  }
}

extension MergeTable {
  /// A merge as text: "left right".
  mutating func append(
    line: String, rank: Int, in table: TokenTable, path: String
  ) throws(TokenizerError) {
    let halves = line.utf8.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2 else {
      throw TokenizerError(
        .value(
          place: "merge \(rank)", found: "\"\(line)\"", expected: "two tokens and a space between"),
        path: path)
    }
    try append(
      String(decoding: halves[0], as: UTF8.self), String(decoding: halves[1], as: UTF8.self),
      rank: rank, in: table, path: path)
  }

  mutating func append(
    _ left: String, _ right: String, rank: Int, in table: TokenTable, path: String
  ) throws(TokenizerError) {
    func id(_ token: String) throws(TokenizerError) -> Int32 {
      guard let id = table.find(token) else {
        throw TokenizerError(.unknownToken(token: token, place: "merge \(rank)"), path: path)
      }
      return id
    }
    append(try id(left), try id(right), id: try id(left + right))
  }
}
