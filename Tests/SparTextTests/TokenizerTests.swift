import Foundation
import Testing

@testable import SparText

/// A small byte-level tokenizer made here: all bytes, a few merges, two special tokens.
enum SmallTokenizer {
  static func file(
    merges: String = #"["h e", "l l", "he ll", "hell o", "Ġ w"]"#,
    extra: String = "", model: String = "", pre: String = "", post: String = "null"
  ) -> Data {
    var tokens = ByteAlphabet.scalars.map { String($0) }
    tokens += ["he", "ll", "hell", "hello", "Ġw"]
    let vocabulary = tokens.enumerated().map { "\(JSONWriter.quoted($1)): \($0)" }
      .joined(separator: ", ")
    let pre =
      pre.isEmpty
      ? #"{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}"# : pre
    return Data(
      """
      {"added_tokens": [
         {"id": 261, "content": "<s>", "special": true, "normalized": false},
         {"id": 262, "content": "<mask>", "special": true, "lstrip": true, "normalized": false},
         {"id": 263, "content": "<s>x", "special": false, "normalized": false},
         {"id": 264, "content": "word", "single_word": true, "normalized": false}\(extra)],
       "normalizer": null, "pre_tokenizer": \(pre), "post_processor": \(post),
       "decoder": {"type": "ByteLevel"},
       "model": {"type": "BPE"\(model), "vocab": {\(vocabulary)}, "merges": \(merges)}}
      """.utf8)
  }

  static func make(_ data: Data = file(), config: TokenizerConfig? = nil) throws -> Tokenizer {
    try Tokenizer(tokenizerJSON: data, path: "small.json", config: config)
  }
}

@Suite("Tokenizer") struct TokenizerTests {
  @Test("merges by rank inside of words")
  func merges() throws {
    let tokenizer = try SmallTokenizer.make()
    let space = try #require(tokenizer.id(of: "Ġ"))
    #expect(tokenizer.encode("hello hello") == [259, space, 259])
    #expect(tokenizer.encode(" w") == [260])
    #expect(tokenizer.encode("") == [])
    #expect(tokenizer.decode(tokenizer.encode("hello w\u{0}é\n")) == "hello w\u{0}é\n")
  }

  @Test("added tokens: leftmost, longest, single words, swallowed blanks")
  func added() throws {
    let tokenizer = try SmallTokenizer.make()
    #expect(tokenizer.encode("<s><s>x") == [261, 263])
    #expect(tokenizer.encode("hello  <mask>") == [259, 262])
    #expect(tokenizer.encode("word") == [264])
    #expect(!tokenizer.encode("wordy sword word_ wordé").contains(264))
    #expect(tokenizer.encode("(word)").contains(264))
    #expect(tokenizer.specialIDs == [261, 262])
    #expect(tokenizer.decode([261, 259, 263], skipSpecial: true) == "hello<s>x")
  }

  @Test("a template puts special tokens around")
  func template() throws {
    let post = """
      {"type": "TemplateProcessing", "pair": [], "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "<mask>", "type_id": 0}}],
       "special_tokens": {"<s>": {"id": "<s>", "ids": [261], "tokens": ["<s>"]},
                          "<mask>": {"id": "<mask>", "ids": [262], "tokens": ["<mask>"]}}}
      """
    let tokenizer = try SmallTokenizer.make(SmallTokenizer.file(post: post))
    #expect(tokenizer.encode("hello", special: true) == [261, 259, 262])
    #expect(tokenizer.encode("hello") == [259])
  }

  @Test("ids that do not exist decode to nothing, broken UTF-8 to U+FFFD")
  func decodesAnything() throws {
    let tokenizer = try SmallTokenizer.make()
    #expect(tokenizer.decode([-1, 99_999, .max, .min]) == "")
    let bytes = try [0xF0, 0x9F, 0x41].map { (byte: Int) in
      try #require(tokenizer.id(of: String(ByteAlphabet.scalars[byte])))
    }
    #expect(tokenizer.decode(bytes) == "\u{FFFD}A")
    #expect(tokenizer.token(259) == "hello")
    #expect(tokenizer.token(100_000) == nil)
    #expect(tokenizer.vocabularySize == 265)
  }

  @Test("merging by heap and by scanning agree", arguments: 0..<30)
  func heapAgrees(seed: UInt64) throws {
    let tokenizer = try SmallTokenizer.make(
      SmallTokenizer.file(merges: #"["l l", "h e", "he ll", "hell o", "Ġ w"]"#))
    var state = seed &+ 1
    let letters = try "helo".map { try #require(tokenizer.id(of: String($0))) }
    var symbols: [Int32] = []
    for _ in 0..<200 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      symbols.append(letters[Int(state >> 62)])
    }
    var a = MergeScratch()
    var b = MergeScratch()
    a.symbols = symbols
    b.symbols = symbols
    guard case .bytePairs(let model) = tokenizer.parts.model else {
      Issue.record("not BPE")
      return
    }
    model.mergeByScanning(&a)
    model.mergeByHeap(&b)
    #expect(a.symbols == b.symbols, "seed \(seed)")
    #expect(a.symbols.count < symbols.count)
  }

  @Test("a word of 100,000 letters does not take quadratic time", .timeLimit(.minutes(1)))
  func longWord() throws {
    let tokenizer = try SmallTokenizer.make()
    let text = String(repeating: "hello", count: 20_000)
    #expect(tokenizer.encode(text) == [Int32](repeating: 259, count: 20_000))
  }

  @Test(
    "the export of a GGUF vocabulary reads back as the same tokenizer",
    arguments: ["smollm", "gpt-2", "llama-bpe", "qwen2", "default"])
  func export(pre: String) throws {
    let tokens = ByteAlphabet.scalars.map { String($0) } + ["he", "ll", "<|end|>", "é!"]
    let types = [Int32](repeating: 1, count: 258) + [3, 4]
    let tokenizer = try Tokenizer(
      gguf: GGUFVocabulary(
        model: "gpt2", pre: pre, tokens: tokens, types: types, merges: ["h e", "l l"], bos: 258,
        eos: 258, addBOS: true, addEOS: true))
    var config = try TokenizerConfig(
      tokenizerConfig: try tokenizer.tokenizerConfigJSON(chatTemplate: "{{ x }}"), path: "config")
    #expect(config.bosToken == "<|end|>")
    #expect(config.padToken == nil)
    #expect(config.chatTemplate == "{{ x }}")
    try config.add(generationConfig: Data(#"{"eos_token_id": [1, 258]}"#.utf8), path: "generation")
    #expect(config.eosTokenIDs == [1, 258])
    let again = try Tokenizer(
      tokenizerJSON: try tokenizer.tokenizerJSON(), path: "export", config: config)
    #expect(again.digest == tokenizer.digest)
    #expect(again.eos == 258)
    for text in ["hello  123 ½４ é! e\u{301}<|end|> x", "I'LL\r\n\n  go", ""] {
      #expect(again.encode(text, special: true) == tokenizer.encode(text, special: true))
    }
  }

  @Test("the digest changes with a merge")
  func digest() throws {
    let one = try SmallTokenizer.make()
    let two = try SmallTokenizer.make(SmallTokenizer.file(merges: #"[["l", "l"], ["h", "e"]]"#))
    #expect(one.digest != two.digest)
    #expect(one.digest.count == 32)
    #expect(try one.digest == SmallTokenizer.make().digest)
  }
}

@Suite("Hostile tokenizer files") struct HostileTokenizerTests {
  func message(_ data: Data) throws -> String {
    let error = #expect(throws: TokenizerError.self) { try SmallTokenizer.make(data) }
    return try #require(error).description
  }

  @Test("every truncation is an error that says so", arguments: [0, 1, 2, 3, 5, 8])
  func truncated(part: Int) throws {
    let data = SmallTokenizer.file()
    let text = try message(data.prefix(data.count * part / 9))
    #expect(text.contains("small.json") && text.contains("ends too early"))
  }

  @Test("bytes that are not JSON, and nesting without end")
  func notJSON() throws {
    #expect(try message(Data("[1, 2".utf8)).contains("ends too early"))
    #expect(try message(Data("nonsense".utf8)).contains("unknown word"))
    #expect(try message(Data("[]".utf8)).contains("an object"))
    #expect(try message(Data(repeating: UInt8(ascii: "["), count: 100_000)).contains("nested"))
  }

  @Test("rules that multiply a text without bound are refused, whatever part they are in")
  func growth() throws {
    // Found by fuzzing, its long contents shortened: each rule writes a space and more for a space.
    let rule =
      #"{"type":"Replace","pattern":{"Regex":" {0,}"},"content":" \#(String(repeating: "ÿ", count: 60)) "}"#
    let rules = Array(repeating: rule, count: 4).joined(separator: ",")
    let levels = Array(repeating: #"{"type":"ByteLevel"}"#, count: 9).joined(separator: ",")
    let small = String(decoding: SmallTokenizer.file(), as: UTF8.self)
    for (part, from, to) in [
      (
        "normalizer", #""normalizer": null"#,
        #""normalizer": {"type":"Sequence","normalizers":[\#(rules)]}"#
      ),
      (
        "decoder", #""decoder": {"type": "ByteLevel"}"#,
        #""decoder": {"type":"Sequence","decoders":[\#(rules)]}"#
      ),
      (
        "pre_tokenizer",
        #""pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}"#,
        #""pre_tokenizer": {"type":"Sequence","pretokenizers":[\#(levels)]}"#
      ),
    ] {
      #expect(small.contains(from))
      let text = try message(Data(small.replacing(from, with: to).utf8))
      #expect(text.contains("\(part) is a chain of rules") && text.contains("at most 16384"))
    }
    // One such rule is harmless.
    let one = small.replacing(#""normalizer": null"#, with: #""normalizer": \#(rule)"#)
    #expect(try SmallTokenizer.make(Data(one.utf8)).encode("a b").count > 60)
  }

  @Test("a merge that names an unknown token names it")
  func unknownMerge() throws {
    let text = try message(SmallTokenizer.file(merges: #"["h e", "zz top"]"#))
    #expect(text.contains("\"zz\"") && text.contains("merge 1"))
    #expect(try message(SmallTokenizer.file(merges: #"["he"]"#)).contains("a space between"))
    #expect(try message(SmallTokenizer.file(merges: #"[["h"]]"#)).contains("two strings"))
    #expect(try message(SmallTokenizer.file(merges: #"{}"#)).contains("an array"))
  }

  @Test("kinds that are not known are named, with those that are")
  func unsupported() throws {
    let dropout = try message(SmallTokenizer.file(model: #", "dropout": 0.1"#))
    #expect(dropout.contains("dropout"))
    let pre = try message(SmallTokenizer.file(pre: #"{"type": "UnicodeScripts"}"#))
    #expect(pre.contains("pre_tokenizer \"UnicodeScripts\"") && pre.contains("Metaspace"))
    let nested = #"{"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "Odd"}]}"#
    #expect(
      try message(SmallTokenizer.file(pre: nested)).contains("pre_tokenizer.pretokenizers[1]"))
    let model = try message(Data(#"{"model": {"type": "Odd", "vocab": {}}}"#.utf8))
    #expect(model.contains("model \"Odd\"") && model.contains("WordPiece"))
    #expect(try message(Data(#"{"model": {"type": "WordPiece"}}"#.utf8)).contains("\"vocab\""))
    #expect(try message(Data(#"{}"#.utf8)).contains("no \"model\""))
    #expect(
      try message(
        SmallTokenizer.file(
          pre: #"{"type": "Split", "pattern": {"Regex": "(a"}, "behavior": "Isolated"}"#)
      ).contains("(a"))
  }

  @Test("ids out of range and wrong types are refused")
  func badIDs() throws {
    #expect(
      try message(SmallTokenizer.file(extra: #", {"id": 99999999999, "content": "x"}"#))
        .contains("99999999999"))
    #expect(
      try message(SmallTokenizer.file(extra: #", {"id": -4, "content": "x"}"#)).contains("-4"))
    #expect(try message(SmallTokenizer.file(extra: #", {"id": 4}"#)).contains("content"))
    var config = TokenizerConfig()
    config.bosToken = "<nowhere>"
    let error = #expect(throws: TokenizerError.self) { try SmallTokenizer.make(config: config) }
    #expect(try #require(error).description.contains("<nowhere>"))
  }

  @Test("GGUF metadata that contradicts itself")
  func gguf() throws {
    func message(_ vocabulary: GGUFVocabulary) throws -> String {
      let error = #expect(throws: TokenizerError.self) { try Tokenizer(gguf: vocabulary) }
      return try #require(error).description
    }
    #expect(try message(GGUFVocabulary(model: "rwkv", tokens: [])).contains("\"rwkv\""))
    #expect(try message(GGUFVocabulary(model: "llama", tokens: ["a"])).contains("scores"))
    #expect(try message(GGUFVocabulary(model: "gpt2", pre: "odd", tokens: [])).contains("\"odd\""))
    #expect(
      try message(GGUFVocabulary(model: "gpt2", tokens: ["a"], types: [1, 1])).contains("2 long"))
    #expect(
      try message(GGUFVocabulary(model: "gpt2", tokens: ["a"], merges: ["a b"])).contains("\"b\""))
    #expect(try message(GGUFVocabulary(model: "gpt2", tokens: ["a"], bos: 7)).contains("bos"))
  }

  @Test("a pattern that backtracks without end still ends", .timeLimit(.minutes(1)))
  func backtracking() throws {
    let pre = """
      {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"},
        {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
      """
    let tokenizer = try SmallTokenizer.make(SmallTokenizer.file(pre: pre))
    let text = String(repeating: "a", count: 40) + "b"
    #expect(tokenizer.decode(tokenizer.encode(text)) == text)
  }
}
