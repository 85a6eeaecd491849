/// A pre-tokenizer that GGUF names instead of describing.
struct NamedPreTokenizer {
  /// Patterns applied one after another, each isolating its matches.
  var patterns: [String]
  var normalizer: [Normalizer] = []
  var ignoresMerges = false
  /// Whether BOS is put in front where the file does not say.
  var addsBOS = false

  /// Source: the names and patterns of llama.cpp's `llama-vocab.cpp`; where it approximates the
  /// model's own tokenizer.json, as for "tekken", the latter's pattern stands here. Qwen 2
  /// normalizes to NFC, because its own tokenizer.json does and llama.cpp leaves that out.
  static func named(_ name: String) -> NamedPreTokenizer? {
    let gpt2 = PreTokenizer.gpt2Words
    switch name {
    case "gpt-2", "gpt2", "phi-2", "olmo", "mpt", "jais", "trillion", "granite-docling",
      "jina-es", "jina-de", "jina-v1-en", "jina-v2-code", "jina-v2-es", "jina-v2-de",
      "roberta-bpe", "gigachat":
      return NamedPreTokenizer(patterns: [gpt2])
    case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b":
      return NamedPreTokenizer(patterns: [#"\p{N}"#, gpt2])
    case "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral":
      return NamedPreTokenizer(patterns: [llama3("{1,3}")], ignoresMerges: true, addsBOS: true)
    case "dbrx", "smaug-bpe", "chatglm-bpe", "glm4":
      return NamedPreTokenizer(patterns: [llama3("{1,3}")])
    case "qwen2", "deepseek-r1-qwen", "megrez":
      return NamedPreTokenizer(patterns: [llama3("")], normalizer: [.form(.nfc)])
    case "stablelm2", "hunyuan", "grok-2":
      return NamedPreTokenizer(patterns: [llama3("")])
    case "seed-coder":
      return NamedPreTokenizer(
        patterns: [
          contractions
            + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+"# + blanks
        ])
    case "tekken", "mistral-bpe":
      return NamedPreTokenizer(
        patterns: [cased("", #"\p{N}"#)], ignoresMerges: true, addsBOS: true)
    case "gpt-4o", "llama4":
      return NamedPreTokenizer(patterns: [cased(contractions + "?", #"\p{N}{1,3}"#)])
    case "falcon":
      return NamedPreTokenizer(
        patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"])
    case "deepseek-llm":
      return NamedPreTokenizer(
        patterns: [
          "[\r\n]", deepseekLetters, #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#, deepseekIdeographs,
          #"\p{N}+"#,
        ])
    case "deepseek-coder":
      return NamedPreTokenizer(
        patterns: ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, deepseekIdeographs, #"\p{N}"#])
    case "deepseek-v3", "deepseek3":
      return NamedPreTokenizer(
        patterns: [
          #"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+",
          ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
            + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+"# + blanks,
        ])
    case "poro-chat", "bloom", "gpt3-finnish":
      return NamedPreTokenizer(patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#])
    case "viking":
      return NamedPreTokenizer(patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#, #"\p{N}"#])
    case "default":
      return NamedPreTokenizer(
        patterns: [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"])
    default: return nil
    }
  }

  static let names = [
    "bloom", "chatglm-bpe", "codeshell", "command-r", "dbrx", "deepseek-coder", "deepseek-llm",
    "deepseek-r1-qwen", "deepseek-v3", "default", "exaone", "falcon", "falcon3", "gigachat",
    "glm4", "gpt-2", "gpt-4o", "gpt3-finnish", "granite-docling", "grok-2", "hunyuan", "jais",
    "llama-bpe", "llama4", "megrez", "minerva-7b", "mpt", "olmo", "phi-2", "pixtral", "poro-chat",
    "qwen2", "refact", "roberta-bpe", "seed-coder", "smaug-bpe", "smollm", "stablelm2",
    "starcoder", "tekken", "trillion", "viking",
  ]

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let blanks = #"|\s+(?!\S)|\s+"#

  private static func llama3(_ digits: String) -> String {
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"# + blanks
  }

  /// Words that a capital may begin but not interrupt.
  private static func cased(_ ending: String, _ digits: String) -> String {
    let lead = #"[^\r\n\p{L}\p{N}]?"#
    let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    return "\(lead)\(upper)*\(lower)+\(ending)|\(lead)\(upper)+\(lower)*\(ending)|\(digits)"
      + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+"# + blanks
  }

  private static let deepseekIdeographs = "[一-龥ࠀ-一가-퟿]+"

  /// Letters that have case, as DeepSeek's tokenizer.json lists them.
  private static let deepseekLetters =
    #"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ"#
    + "Ḁ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄ"
    + "Ⰰ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"
}
