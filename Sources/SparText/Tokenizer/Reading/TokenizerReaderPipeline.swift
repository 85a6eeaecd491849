/// The parts `post_processor` and `decoder` of tokenizer.json.
extension TokenizerReader {
  static let decoderKinds = [
    "ByteLevel", "Metaspace", "ByteFallback", "Fuse", "Strip", "Replace", "WordPiece",
    "BPEDecoder", "Sequence",
  ]

  func decoders(_ node: JSONNode, _ place: String) throws(TokenizerError) -> [DecoderStep] {
    switch try kind(node, place) {
    case "ByteLevel": return [.byteLevel]
    case "Metaspace":
      let metaspace = try metaspace(node, place)
      return [.metaspace(mark: metaspace.mark, dropsFirst: metaspace.scheme != .never)]
    case "ByteFallback": return [.byteFallback]
    case "Fuse": return [.fuse]
    case "Strip":
      let content = try string("content", of: node, place)
      return [
        .strip(
          content: Array(content.utf8), start: try count("start", of: node, place),
          stop: try count("stop", of: node, place))
      ]
    case "Replace":
      let content = try string("content", of: node, place)
      return [.replace(from: try finder(node, place), to: Array(content.utf8))]
    case "WordPiece":
      return [
        .wordPiece(
          prefix: Array(try string("prefix", of: node, place, default: "##").utf8),
          cleansUp: try flag("cleanup", of: node, place, default: true))
      ]
    case "BPEDecoder":
      return [.bytePairSuffix(Array(try string("suffix", of: node, place, default: "</w>").utf8))]
    case "Sequence":
      var out: [DecoderStep] = []
      for (i, part) in try list("decoders", of: node, place).enumerated() {
        out += try decoders(part, "\(place).decoders[\(i)]")
      }
      return out
    case let other: throw unsupported(place, other, Self.decoderKinds)
    }
  }

  private func count(
    _ key: String, of node: JSONNode, _ place: String
  ) throws(TokenizerError) -> Int {
    let value = try integer(key, of: node, place, default: 0)
    guard (0...65_536).contains(value) else {
      throw TokenizerError(
        .value(place: "\(place).\(key)", found: "\(value)", expected: "0…65536"), path: path)
    }
    return value
  }

  func postProcessor(
    _ node: JSONNode, _ place: String, _ table: TokenTable
  ) throws(TokenizerError) -> PostProcessor {
    switch try kind(node, place) {
    case "ByteLevel": return PostProcessor()
    case "TemplateProcessing": return try template(node, place, table)
    case "BertProcessing", "RobertaProcessing":
      return PostProcessor(
        before: [try markedID(node, "cls", place)], after: [try markedID(node, "sep", place)])
    case "Sequence":
      var whole = PostProcessor()
      for (i, part) in try list("processors", of: node, place).enumerated() {
        whole = try postProcessor(part, "\(place).processors[\(i)]", table).around(whole)
      }
      return whole
    case let other:
      throw unsupported(
        place, other,
        ["ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "Sequence"])
    }
  }

  /// ["[SEP]", 102]
  private func markedID(
    _ node: JSONNode, _ key: String, _ place: String
  ) throws(TokenizerError) -> Int32 {
    let pair = try required(key, of: node, place)
    guard let id = pair.array?.last?.integer, let id = Int32(exactly: id), id >= 0 else {
      throw wrongType("\(place).\(key)", "a token and its id", pair)
    }
    return id
  }

  private func template(
    _ node: JSONNode, _ place: String, _ table: TokenTable
  ) throws(TokenizerError) -> PostProcessor {
    var out = PostProcessor()
    var seenText = false
    for item in try list("single", of: node, place) {
      if item["Sequence"] != nil {
        guard !seenText else {
          throw TokenizerError(
            .value(
              place: "\(place).single", found: "the text twice", expected: "the text once"),
            path: path)
        }
        seenText = true
        continue
      }
      guard let name = item["SpecialToken"]?["id"]?.string else {
        throw wrongType("\(place).single", "Sequence and SpecialToken entries", item)
      }
      var ids: [Int32] = []
      for value in node["special_tokens"]?[name]?["ids"]?.array ?? [] {
        guard let id = value.integer, id >= 0, id < table.count else {
          throw TokenizerError(
            .value(
              place: "\(place).special_tokens[\"\(name)\"].ids", found: JSONWriter.text(value),
              expected: "ids in 0..<\(table.count)"), path: path)
        }
        ids.append(Int32(id))
      }
      guard !ids.isEmpty else {
        throw TokenizerError(
          .unknownToken(token: name, place: "\(place).special_tokens"), path: path)
      }
      if seenText { out.after += ids } else { out.before += ids }
    }
    guard seenText else {
      throw TokenizerError(
        .value(place: "\(place).single", found: "no text", expected: "the text once"), path: path)
    }
    return out
  }
}
