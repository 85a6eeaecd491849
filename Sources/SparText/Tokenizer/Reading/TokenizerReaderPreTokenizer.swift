/// The part `pre_tokenizer` of tokenizer.json.
extension TokenizerReader {
  static let preTokenizerKinds = [
    "ByteLevel", "Metaspace", "Split", "Digits", "Whitespace", "WhitespaceSplit",
    "BertPreTokenizer", "Punctuation", "CharDelimiterSplit", "Sequence",
  ]

  func preTokenizer(_ node: JSONNode, _ place: String) throws(TokenizerError) -> PreTokenizer {
    switch try kind(node, place) {
    case "ByteLevel":
      var words: Pattern?
      if try flag("use_regex", of: node, place, default: true) {
        words = try Pattern(PreTokenizer.gpt2Words, path: path)
      }
      return .byteLevel(
        addPrefixSpace: try flag("add_prefix_space", of: node, place, default: true),
        words: words, mapsBytes: true)
    case "Metaspace": return .metaspace(try metaspace(node, place))
    case "Digits":
      return .digits(individual: try flag("individual_digits", of: node, place, default: false))
    case "Split":
      return .split(
        try finder(node, place).finder, try behavior(node, place),
        invert: try flag("invert", of: node, place, default: false))
    case "Whitespace": return .whitespace
    case "WhitespaceSplit": return .whitespaceSplit
    case "BertPreTokenizer": return .bert
    case "Punctuation": return .punctuation(try behavior(node, place))
    case "CharDelimiterSplit":
      let delimiter = try string("delimiter", of: node, place)
      return .split(.literal(Array(delimiter.utf8)), .removed, invert: false)
    case "Sequence":
      var parts: [PreTokenizer] = []
      for (i, part) in try list("pretokenizers", of: node, place).enumerated() {
        parts.append(try preTokenizer(part, "\(place).pretokenizers[\(i)]"))
      }
      return .sequence(parts)
    case let other: throw unsupported(place, other, Self.preTokenizerKinds)
    }
  }

  private func behavior(_ node: JSONNode, _ place: String) throws(TokenizerError) -> SplitBehavior {
    let named = try string("behavior", of: node, place, default: "Isolated")
    guard let behavior = SplitBehavior(rawValue: named) else {
      throw unsupported("\(place).behavior", named, SplitBehavior.allCases.map(\.rawValue))
    }
    return behavior
  }

  /// Files of old versions say `add_prefix_space` for the scheme.
  func metaspace(_ node: JSONNode, _ place: String) throws(TokenizerError) -> Metaspace {
    var out = Metaspace()
    let mark = try string("replacement", of: node, place, default: "\u{2581}")
    guard mark.unicodeScalars.count == 1 else {
      throw TokenizerError(
        .value(place: "\(place).replacement", found: "\"\(mark)\"", expected: "one character"),
        path: path)
    }
    out.mark = Array(mark.utf8)
    out.splits = try flag("split", of: node, place, default: true)
    let isPrefixed = try flag("add_prefix_space", of: node, place, default: true)
    let named = try string("prepend_scheme", of: node, place, default: "always")
    guard let scheme = Metaspace.Scheme(rawValue: named) else {
      throw unsupported("\(place).prepend_scheme", named, Metaspace.Scheme.allCases.map(\.rawValue))
    }
    guard isPrefixed || node["prepend_scheme"] == nil || scheme == .never else {
      throw TokenizerError(
        .value(
          place: "\(place).add_prefix_space", found: "false beside prepend_scheme \"\(named)\"",
          expected: "no contradiction"), path: path)
    }
    out.scheme = isPrefixed ? scheme : .never
    return out
  }
}
