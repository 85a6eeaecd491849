/// The parts of tokenizer.json around the model: each function knows the kinds of one part.
extension TokenizerReader {
  func normalizers(_ node: JSONNode) throws(TokenizerError) -> [Normalizer] {
    let kind = try self.kind(node, "normalizer")
    if kind == "Sequence" {
      var out: [Normalizer] = []
      for part in node["normalizers"]?.array ?? [] { out += try normalizers(part) }
      return out
    }
    guard let normalizer = Normalizer(rawValue: kind) else {
      throw unsupported(
        "normalizer", kind, Normalizer.allCases.map(\.rawValue) + ["Sequence of these", "null"])
    }
    return [normalizer]
  }

  func preTokenizer(_ node: JSONNode, _ place: String) throws(TokenizerError) -> PreTokenizer {
    switch try kind(node, place) {
    case "ByteLevel":
      let usesWords = node["use_regex"]?.boolean ?? true
      return .byteLevel(
        addPrefixSpace: node["add_prefix_space"]?.boolean ?? true,
        words: usesWords ? try Pattern(PreTokenizer.gpt2Words, path: path) : nil)
    case "Digits":
      return .digits(
        individual: node["individual_digits"]?.boolean ?? false,
        digit: try Pattern(#"\p{N}"#, path: path))
    case "Split": return try split(node, place)
    case "Sequence":
      let list = try required("pretokenizers", of: node, place)
      guard let list = list.array else {
        throw wrongType("\(place).pretokenizers", "an array", list)
      }
      var parts: [PreTokenizer] = []
      for (i, part) in list.enumerated() {
        parts.append(try preTokenizer(part, "\(place).pretokenizers[\(i)]"))
      }
      return .sequence(parts)
    case let other:
      throw unsupported("pre_tokenizer", other, ["ByteLevel", "Digits", "Split", "Sequence"])
    }
  }

  private func split(_ node: JSONNode, _ place: String) throws(TokenizerError) -> PreTokenizer {
    let pattern = try required("pattern", of: node, place)
    let source: String
    if let regex = pattern["Regex"]?.string {
      source = regex
    } else if let literal = pattern["String"]?.string {
      source = Self.escaped(literal)
    } else {
      throw wrongType("\(place).pattern", "a Regex or a String", pattern)
    }
    let named = node["behavior"]?.string ?? "Isolated"
    guard let behavior = SplitBehavior(rawValue: named) else {
      throw unsupported("behavior of Split", named, SplitBehavior.allCases.map(\.rawValue))
    }
    return .split(
      try Pattern(source, path: path), behavior, invert: node["invert"]?.boolean ?? false)
  }

  /// A pattern that matches `literal` itself.
  private static func escaped(_ literal: String) -> String {
    var out = ""
    for scalar in literal.unicodeScalars {
      if scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) {
        out.append("\\x{\(String(scalar.value, radix: 16))}")
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  func decoder(_ node: JSONNode) throws(TokenizerError) -> TokenizerParts.Decoder {
    switch try kind(node, "decoder") {
    case "ByteLevel": return .byteLevel
    case "Sequence":
      let parts = node["decoders"]?.array ?? []
      // Fuse joins what ByteLevel has joined already.
      let rest = parts.filter { $0["type"]?.string != "Fuse" }
      guard rest.count == 1 else {
        throw unsupported("decoder", "Sequence of \(rest.count)", ["ByteLevel", "null"])
      }
      return try decoder(rest[0])
    case let other: throw unsupported("decoder", other, ["ByteLevel", "null"])
    }
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
      for (i, part) in (node["processors"]?.array ?? []).enumerated() {
        whole = try postProcessor(part, "\(place).processors[\(i)]", table).around(whole)
      }
      return whole
    case let other:
      throw unsupported(
        "post_processor", other,
        ["ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "Sequence"])
    }
  }

  /// ["[SEP]", 102]
  private func markedID(
    _ node: JSONNode, _ key: String, _ place: String
  ) throws(TokenizerError) -> Int32 {
    let pair = try required(key, of: node, place)
    guard let id = pair.array?.last?.integer, let id = Int32(exactly: id) else {
      throw wrongType("\(place).\(key)", "a token and its id", pair)
    }
    return id
  }

  private func template(
    _ node: JSONNode, _ place: String, _ table: TokenTable
  ) throws(TokenizerError) -> PostProcessor {
    let single = try required("single", of: node, place)
    var out = PostProcessor()
    var seenText = false
    for item in single.array ?? [] {
      if item["Sequence"] != nil {
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
    return out
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

  private func kind(_ node: JSONNode, _ place: String) throws(TokenizerError) -> String {
    let type = try required("type", of: node, place)
    guard let kind = type.string else { throw wrongType("\(place).type", "a string", type) }
    return kind
  }

  func wrongType(_ place: String, _ expected: String, _ found: JSONNode) -> TokenizerError {
    TokenizerError(.wrongType(place: place, expected: expected, found: found.kind), path: path)
  }

  func unsupported(_ part: String, _ kind: String, _ supported: [String]) -> TokenizerError {
    TokenizerError(.unsupported(part: part, kind: kind, supported: supported), path: path)
  }
}
