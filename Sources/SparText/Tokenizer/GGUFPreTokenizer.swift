/// The names that GGUF has for pre-tokenizers, by the patterns that tokenizer.json spells out.
///
/// Source: llama.cpp, `llm_tokenizer_bpe`; the patterns are those of the models' tokenizer.json.
enum GGUFPreTokenizer {
  private static let gpt2 =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  private static let table: [(name: String, patterns: [String])] = [
    ("llama-bpe", [words(digits: "{1,3}")]),
    ("qwen2", [words(digits: "")]),
    ("smollm", [#"\p{N}"#, gpt2]),
    ("gpt-2", [gpt2]),
    (
      "tekken",
      [
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
          + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
          + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
      ]
    ),
    ("default", [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"]),
  ]

  private static func words(digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  static let names = table.map(\.name)

  static func name(_ patterns: [String]) -> String? {
    table.first { $0.patterns == patterns }?.name
  }

  /// Whether readers of GGUF take a whole word that is a token as it is.
  static func ignoresMerges(_ name: String) -> Bool { name == "llama-bpe" || name == "tekken" }

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
        if step["use_regex"]?.boolean ?? true { patterns.append(gpt2) }
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
