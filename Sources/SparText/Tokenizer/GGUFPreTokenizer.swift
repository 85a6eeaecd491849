/// The name that an exported GGUF file gets for what cuts its text.
///
/// Readers know more names (`NamedPreTokenizer`); of those with the same patterns one is written.
enum GGUFPreTokenizer {
  static let names = ["llama-bpe", "qwen2", "smollm", "gpt-2", "tekken", "default"]

  static func name(_ patterns: [String]) -> String? {
    names.first { NamedPreTokenizer.named($0)?.patterns == patterns }
  }

  /// Whether readers of GGUF take a whole word that is a token as it is.
  static func ignoresMerges(_ name: String) -> Bool {
    NamedPreTokenizer.named(name)?.ignoresMerges ?? false
  }

  static func isByteLevel(_ root: JSONNode) -> Bool {
    steps(root["pre_tokenizer"] ?? .null).contains { $0["type"]?.string == "ByteLevel" }
  }

  /// What cuts the text, in order; nil for a step that has no pattern.
  static func patterns(_ pre: JSONNode) -> [String]? {
    var patterns: [String] = []
    for step in steps(pre) {
      switch step["type"]?.string {
      case "ByteLevel":
        guard step["add_prefix_space"]?.boolean != true else { return nil }
        if step["use_regex"]?.boolean ?? true { patterns.append(PreTokenizer.gpt2Words) }
      case "Digits":
        patterns.append(step["individual_digits"]?.boolean == true ? #"\p{N}"# : #"\p{N}+"#)
      case "Split":
        guard let pattern = step["pattern"]?["Regex"]?.string,
          step["behavior"]?.string == "Isolated", step["invert"]?.boolean != true
        else { return nil }
        patterns.append(pattern)
      default: return nil
      }
    }
    return patterns
  }

  /// Whether a space is put before a text, by the normalizer or by Metaspace.
  static func addsSpace(_ root: JSONNode) -> Bool {
    let prepends = steps(root["normalizer"] ?? .null).contains { $0["type"]?.string == "Prepend" }
    let spaced = steps(root["pre_tokenizer"] ?? .null).contains { step in
      guard step["type"]?.string == "Metaspace" else { return false }
      guard let scheme = step["prepend_scheme"]?.string else {
        return step["add_prefix_space"]?.boolean ?? true
      }
      return scheme != "never"
    }
    return prepends || spaced
  }

  /// A Sequence's parts, else the one.
  private static func steps(_ node: JSONNode) -> [JSONNode] {
    guard !node.isNull else { return [] }
    let parts = node["pretokenizers"]?.array ?? node["normalizers"]?.array
    return parts?.flatMap(steps) ?? [node]
  }
}
