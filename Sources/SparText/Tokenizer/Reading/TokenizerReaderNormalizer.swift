import Foundation

/// The part `normalizer` of tokenizer.json.
extension TokenizerReader {
  static let normalizerKinds =
    NormalForm.allCases.map(\.rawValue) + [
      "Lowercase", "Strip", "StripAccents", "BertNormalizer", "Replace", "Prepend", "Nmt",
      "Precompiled", "Sequence",
    ]

  func normalizers(_ node: JSONNode, _ place: String) throws(TokenizerError) -> [Normalizer] {
    let kind = try self.kind(node, place)
    if let form = NormalForm(rawValue: kind) { return [.form(form)] }
    switch kind {
    case "Sequence":
      var out: [Normalizer] = []
      for (i, part) in try list("normalizers", of: node, place).enumerated() {
        out += try normalizers(part, "\(place).normalizers[\(i)]")
      }
      return out
    case "Lowercase": return [.lowercase]
    case "StripAccents": return [.stripAccents]
    case "Nmt": return [.nmt]
    case "Strip":
      return [
        .strip(
          left: try flag("strip_left", of: node, place, default: true),
          right: try flag("strip_right", of: node, place, default: true))
      ]
    case "Prepend":
      return [.prepend(Array(try string("prepend", of: node, place).utf8))]
    case "Replace":
      let content = try string("content", of: node, place)
      return [.replace(try finder(node, place).finder, content: Array(content.utf8))]
    case "BertNormalizer":
      let lowercases = try flag("lowercase", of: node, place, default: true)
      return [
        .bert(
          BertNormalizer(
            cleansText: try flag("clean_text", of: node, place, default: true),
            separatesChinese: try flag("handle_chinese_chars", of: node, place, default: true),
            stripsAccents: try flag("strip_accents", of: node, place, default: lowercases),
            lowercases: lowercases))
      ]
    case "Precompiled":
      // Hugging Face writes null or "" where the model has no rules.
      let text = try string("precompiled_charsmap", of: node, place, default: "")
      if text.isEmpty { return [] }
      guard let blob = Data(base64Encoded: text) else {
        throw TokenizerError(
          .value(
            place: "\(place).precompiled_charsmap", found: "\(text.utf8.count) characters",
            expected: "base64"), path: path)
      }
      return [.characterMap(try characterMap([UInt8](blob), "\(place).precompiled_charsmap"))]
    default: throw unsupported(place, kind, Self.normalizerKinds)
    }
  }

  func characterMap(_ blob: [UInt8], _ place: String) throws(TokenizerError) -> CharacterMap {
    do throws(CharacterMap.Malformed) {
      return try CharacterMap(blob: blob)
    } catch {
      throw TokenizerError(
        .value(place: place, found: error.found, expected: error.expected), path: path)
    }
  }

  /// `pattern`: {"String": …} or {"Regex": …}.
  func finder(
    _ node: JSONNode, _ place: String
  ) throws(TokenizerError) -> DecoderStep.Source {
    let pattern = try required("pattern", of: node, place)
    if let regex = pattern["Regex"]?.string {
      return .init(finder: .pattern(try Pattern(regex, path: path)), spelling: "/" + regex)
    }
    if let literal = pattern["String"]?.string ?? pattern.string {
      return .init(finder: .literal(Array(literal.utf8)), spelling: literal)
    }
    throw wrongType("\(place).pattern", "a Regex or a String", pattern)
  }
}
