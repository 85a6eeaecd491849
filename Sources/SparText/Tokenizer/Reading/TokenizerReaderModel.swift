/// The part `model` of tokenizer.json.
extension TokenizerReader {
  static let models = ["BPE", "Unigram", "WordPiece", "WordLevel"]

  /// Files of old versions name no type; their members tell it.
  private func modelKind(_ node: JSONNode) throws(TokenizerError) -> String {
    if let type = node["type"] {
      guard let kind = type.string else { throw wrongType("model.type", "a string", type) }
      return kind
    }
    if node["merges"] != nil { return "BPE" }
    if node["unk_id"] != nil { return "Unigram" }
    return node["max_input_chars_per_word"] != nil ? "WordPiece" : "without a type"
  }

  /// tokens[id] of the model itself, without added tokens.
  func vocabulary(_ model: JSONNode) throws(TokenizerError) -> [String] {
    let kind = try modelKind(model)
    guard Self.models.contains(kind) else { throw unsupported("model", kind, Self.models) }
    let node = try required("vocab", of: model, "model")
    if kind == "Unigram" {
      guard let list = node.array else { throw wrongType("model.vocab", "an array", node) }
      var tokens: [String] = []
      for (id, entry) in list.enumerated() {
        guard let pair = entry.array, pair.count == 2, let piece = pair[0].string else {
          throw wrongType("model.vocab[\(id)]", "a piece and its score", entry)
        }
        tokens.append(piece)
      }
      return tokens
    }
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

  /// - Parameter pre: a ByteLevel that ends it works on bytes where the model can, too.
  mutating func model(
    _ node: JSONNode, _ own: TokenTable, _ all: TokenTable, isOnBytes pre: inout PreTokenizer?
  ) throws(TokenizerError) -> TokenModel {
    switch try modelKind(node) {
    case "BPE": return .bytePairs(try bytePairs(node, own, &pre))
    case "Unigram": return .unigram(try unigram(node, own))
    case "WordPiece":
      let unknown = try unknown(node, own)
      let longest = try integer("max_input_chars_per_word", of: node, "model", default: 100)
      return .wordPiece(
        WordPieceModel(
          vocabulary: own, unknown: unknown,
          continuingPrefix: try string(
            "continuing_subword_prefix", of: node, "model", default: "##"),
          longestWord: longest))
    case "WordLevel":
      return .wordLevel(WordLevelModel(vocabulary: own, unknown: try unknown(node, own)))
    case let other: throw unsupported("model", other, Self.models)
    }
  }

  private mutating func unknown(
    _ node: JSONNode, _ table: TokenTable
  ) throws(TokenizerError) -> Int32 {
    let token = try string("unk_token", of: node, "model")
    unknownToken = token
    guard let id = table.find(token) else {
      throw TokenizerError(.unknownToken(token: token, place: "model.unk_token"), path: path)
    }
    return id
  }

  // MARK: BPE

  private mutating func bytePairs(
    _ node: JSONNode, _ table: TokenTable, _ pre: inout PreTokenizer?
  ) throws(TokenizerError) -> BytePairModel {
    if let dropout = node["dropout"], !dropout.isNull, dropout != .number(0),
      dropout != .integer(0)
    {
      throw unsupported("model", "BPE with dropout", ["BPE without dropout"])
    }
    var options = BytePairModel.Options()
    if let unknown = node["unk_token"], !unknown.isNull {
      options.unknown = try self.unknown(node, table)
    }
    options.fusesUnknown = try flag("fuse_unk", of: node, "model", default: false)
    options.ignoresMerges = try flag("ignore_merges", of: node, "model", default: false)
    options.byteFallback = try flag("byte_fallback", of: node, "model", default: false)
    options.continuingPrefix = try string(
      "continuing_subword_prefix", of: node, "model", default: "")
    options.endSuffix = try string("end_of_word_suffix", of: node, "model", default: "")
    if let onBytes = pre?.onBytes, !options.byteFallback, options.continuingPrefix.isEmpty,
      options.endSuffix.isEmpty
    {
      pre = onBytes
      options.isByteLevel = true
    }
    let merges = try self.merges(
      try required("merges", of: node, "model"), table,
      prefix: options.continuingPrefix.utf8.count)
    return BytePairModel(vocabulary: table, merges: merges, options: options)
  }

  /// "a b" or ["a", "b"], in rank order.
  private func merges(
    _ node: JSONNode, _ table: TokenTable, prefix: Int
  ) throws(TokenizerError) -> MergeTable {
    guard let lines = node.array else { throw wrongType("model.merges", "an array", node) }
    var merges = MergeTable(capacity: lines.count)
    for (rank, line) in lines.enumerated() {
      switch line {
      case .array(let pair):
        guard pair.count == 2, let left = pair[0].string, let right = pair[1].string else {
          throw wrongType("model.merges[\(rank)]", "two strings", line)
        }
        try merges.append(left, right, rank: rank, in: table, prefix: prefix, path: path)
      case .string(let text):
        try merges.append(line: text, rank: rank, in: table, prefix: prefix, path: path)
      default: throw wrongType("model.merges[\(rank)]", "two strings", line)
      }
    }
    return merges
  }

  // MARK: Unigram

  private mutating func unigram(
    _ node: JSONNode, _ table: TokenTable
  ) throws(TokenizerError) -> UnigramModel {
    var scores: [Double] = []
    for (id, entry) in try list("vocab", of: node, "model").enumerated() {
      switch entry.array?.last {
      case .number(let score)?: scores.append(score)
      case .integer(let score)?: scores.append(Double(score))
      default: throw wrongType("model.vocab[\(id)]", "a piece and its score", entry)
      }
    }
    let unknown = try required("unk_id", of: node, "model")
    guard let id = unknown.integer, id >= 0, id < scores.count else {
      throw TokenizerError(
        .value(
          place: "model.unk_id", found: JSONWriter.text(unknown),
          expected: "an id in 0..<\(scores.count); text without pieces needs it"), path: path)
    }
    unknownToken = table.text(Int32(id))
    return UnigramModel(
      vocabulary: table, scores: scores, unknown: Int32(id),
      byteFallback: try flag("byte_fallback", of: node, "model", default: false))
  }
}

extension MergeTable {
  /// A merge as text: "left right".
  mutating func append(
    line: String, rank: Int, in table: TokenTable, prefix: Int = 0, path: String
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
      rank: rank, in: table, prefix: prefix, path: path)
  }

  /// - Parameter prefix: bytes of the continuing prefix, which a joined token drops inside.
  mutating func append(
    _ left: String, _ right: String, rank: Int, in table: TokenTable, prefix: Int = 0,
    path: String
  ) throws(TokenizerError) {
    func id(_ token: String) throws(TokenizerError) -> Int32 {
      guard let id = table.find(token) else {
        throw TokenizerError(.unknownToken(token: token, place: "merge \(rank)"), path: path)
      }
      return id
    }
    let rest = prefix == 0 ? right : String(decoding: right.utf8.dropFirst(prefix), as: UTF8.self)
    append(try id(left), try id(right), id: try id(left + rest))
  }
}
