import Foundation
import Testing

@testable import SparText

/// A small `.model` file made here, field by field.
enum SmallSentencePiece {
  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var out: [UInt8] = []
    repeat {
      out.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return out
  }

  static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] {
    varint(number << 3) + varint(value)
  }

  static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
  }

  static func piece(_ text: String, _ score: Float, _ kind: UInt64 = 1) -> [UInt8] {
    let bits = score.bitPattern
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    return field(1, field(1, Array(text.utf8)) + varint(2 << 3 | 5) + bytes + field(3, kind))
  }

  /// BPE with byte fallback; "▁ab" comes from "▁a" or "ab".
  static func file(
    more: [UInt8] = [], trainer: [UInt8] = [], normalizer: [UInt8] = field(4, 0)
  ) -> Data {
    var out = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3)
    for byte in 0..<256 { out += piece(ByteTokens.name(UInt8(byte)), 0, 6) }
    for (text, score) in [("▁", -9), ("a", -8), ("b", -7), ("ab", -1), ("▁ab", -2), ("bb", -3)] {
      out += piece(text, Float(score))
    }
    out += more + field(2, field(3, 2) + field(35, 1) + trainer) + field(3, normalizer)
    return Data(out)
  }

  static func make(_ data: Data = file(), config: TokenizerConfig? = nil) throws -> Tokenizer {
    try Tokenizer(sentencePiece: data, path: "small.model", config: config)
  }
}

@Suite("SentencePiece models") struct SentencePieceTests {
  @Test("merges by score, leftmost first, with bytes for what has no piece")
  func merges() throws {
    let tokenizer = try SmallSentencePiece.make()
    let mark: Int32 = 259
    let a: Int32 = 260
    let b: Int32 = 261
    let ab: Int32 = 262
    let markedAB: Int32 = 263
    let bb: Int32 = 264
    #expect(tokenizer.encode("ab") == [markedAB])
    #expect(tokenizer.encode("abbb a") == [markedAB, bb, mark, a])
    #expect(tokenizer.encode("  b") == [mark, mark, mark, b])
    #expect(tokenizer.encode("é") == [mark, 198, 172])
    #expect(tokenizer.encode("bab") == [mark, b, ab])
    #expect(tokenizer.encode("") == [])
    #expect(tokenizer.encode("ab", special: true) == [1, markedAB])
    #expect(tokenizer.decode(tokenizer.encode(" a é\u{0} b")) == " a é\u{0} b")
    #expect(tokenizer.decode([258, a]) == "\u{FFFD}a")
    #expect(tokenizer.bosToken == "<s>" && tokenizer.eos == 2 && tokenizer.unk == 0)
  }

  @Test("extra white space goes where the model says so; user symbols stand alone")
  func whitespace() throws {
    let symbol = SmallSentencePiece.piece("aab", 0, 4)
    let tokenizer = try SmallSentencePiece.make(
      SmallSentencePiece.file(more: symbol, normalizer: []))
    #expect(tokenizer.encode("  ab   a ") == [263, 259, 260])
    #expect(tokenizer.encode("   ") == [])
    #expect(tokenizer.encode("aabb") == [259, 265, 261])
    #expect(!tokenizer.specialIDs.contains(265))
  }

  @Test("what the folder's configuration says: roles, BOS and EOS, added tokens")
  func configuration() throws {
    var config = try TokenizerConfig(
      tokenizerConfig: Data(
        #"""
        {"add_bos_token": false, "add_eos_token": true, "legacy": false,
         "eos_token": {"content": "<end>", "lstrip": true}, "pad_token": "<pad>",
         "added_tokens_decoder": {"265": {"content": "<end>", "special": true, "lstrip": true}}}
        """#.utf8), path: "tokenizer_config.json")
    try config.add(addedTokens: Data(#"{"<x>": 266}"#.utf8), path: "added_tokens.json")
    let tokenizer = try SmallSentencePiece.make(config: config)
    #expect(tokenizer.eos == 265 && tokenizer.bos == 1 && tokenizer.pad == 267)
    #expect(tokenizer.encode("ab", special: true) == [263, 265])
    // Not legacy: no blank of its own behind a special token.
    #expect(tokenizer.encode("ab  <end>ab<x>a") == [263, 265, 262, 266, 260])
    #expect(tokenizer.specialIDs == [0, 1, 2, 265, 267])
    let legacy = try SmallSentencePiece.make()
    #expect(legacy.encode("ab</s>ab") == [263, 2, 263])
  }

  @Test("the export to tokenizer.json gives the same ids", arguments: [true, false])
  func export(isUnigram: Bool) throws {
    let trainer = isUnigram ? SmallSentencePiece.field(3, 1) : []
    let tokenizer = try SmallSentencePiece.make(SmallSentencePiece.file(trainer: trainer))
    let again = try Tokenizer(
      tokenizerJSON: try tokenizer.tokenizerJSON(), path: "export",
      config: try TokenizerConfig(
        tokenizerConfig: tokenizer.tokenizerConfigJSON(chatTemplate: nil), path: "config"))
    #expect(again.digest == tokenizer.digest && again.bos == 1)
    for text in ["ab abb  a é</s>bab ", "", "   ", "<s>a"] {
      #expect(again.encode(text, special: true) == tokenizer.encode(text, special: true))
      #expect(again.decode(again.encode(text)) == tokenizer.decode(tokenizer.encode(text)))
    }
  }

  func message(_ data: Data) throws -> String {
    let error = #expect(throws: TokenizerError.self) { try SmallSentencePiece.make(data) }
    return try #require(error).description
  }

  @Test("every truncation and every flipped byte is an error or a tokenizer, never a crash")
  func damaged() throws {
    let data = SmallSentencePiece.file()
    for length in stride(from: 1, to: data.count, by: 7) {
      let part = Data(data.prefix(length))
      _ = Result { try SmallSentencePiece.make(part).encode("ab é ") }
    }
    for at in stride(from: 0, to: data.count, by: 11) {
      for bit in [0x01, 0x08, 0x80] as [UInt8] {
        var bytes = data
        bytes[at] ^= bit
        _ = Result { try SmallSentencePiece.make(bytes).encode("ab é ") }
      }
    }
    #expect(try message(Data()).contains("no pieces"))
    #expect(try message(Data(repeating: 0xFF, count: 40)).contains("more than 64 bits"))
    #expect(try message(Data([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])).contains("are left"))
    #expect(try message(data.prefix(data.count - 1)).contains("small.model"))
  }

  @Test("models that would be read wrongly are refused")
  func refused() throws {
    let words = SmallSentencePiece.file(trainer: SmallSentencePiece.field(3, 4))
    #expect(try message(words).contains("CHAR"))
    let unused = SmallSentencePiece.piece("abb", -1, 5)
    #expect(try message(SmallSentencePiece.file(more: unused)).contains("unused"))
    let map = SmallSentencePiece.field(2, [0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0])
    #expect(try message(SmallSentencePiece.file(normalizer: map)).contains("precompiled_charsmap"))
    let unknown = SmallSentencePiece.field(40, 5000)
    #expect(try message(SmallSentencePiece.file(trainer: unknown)).contains("5000"))
  }
}
