import Foundation

@testable import SparText

extension FuzzTarget {
  /// A SentencePiece `.model` of each algorithm.
  static let sentencePiece = FuzzTarget(
    name: "sentencepiece-model",
    seeds: {
      let map: [UInt8] = [4, 0, 0, 0, 0, 0, 0, 0, 0x41, 0]
      return [seed(algorithm: 1, map: map), seed(algorithm: 2, map: [])]
    },
    run: { data in
      let tokenizer = try Tokenizer(sentencePiece: data, path: "tokenizer.model")
      for text in ["", " ab 12 <s> ä👍\n", "aaaaabbbb"] {
        _ = tokenizer.decode(tokenizer.encode(text, special: true))
      }
      _ = try tokenizer.tokenizerJSON()
    })

  /// Kinds of tokenizer.json beside byte-level BPE.
  static let tokenizerSeeds: [Data] = [
    #"{"normalizer":{"type":"Sequence","normalizers":[{"type":"Nmt"},{"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAABBAA=="},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true},"decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],["▁",-2.5],["a",-3],["▁ab",-1.5],["b",-4],["<0xC3>",-9]]}}"#,
    ###"{"added_tokens":[{"id":9,"content":"Nx","normalized":true,"single_word":true}],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["b",1],"cls":["a",0]},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"a":0,"b":1,"[UNK]":2,"##b":3}}}"###,
    #"{"normalizer":{"type":"Prepend","prepend":"▁"},"pre_tokenizer":null,"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},"model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{"<unk>":0,"▁":1,"a":2,"▁a":3,"<0xC3>":4},"merges":[["▁","a"]]}}"#,
  ].map { Data($0.utf8) }

  private static func seed(algorithm: UInt8, map: [UInt8]) -> Data {
    var out: [UInt8] = []
    for (i, text) in ["<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁ab"].enumerated() {
      let kind: UInt8 = i == 0 ? 2 : i < 3 ? 3 : 1
      let bytes = Array(text.utf8)
      let piece =
        [0x0A, UInt8(bytes.count)] + bytes + [0x15, 0, 0, UInt8(0x80 | i), 0xC0, 0x18, kind]
      out += [0x0A, UInt8(piece.count)] + piece
    }
    out += [0x12, 2, 0x18, algorithm]
    out += [0x1A, UInt8(map.count + 4), 0x12, UInt8(map.count)] + map + [0x20, 0]
    return Data(out)
  }
}
