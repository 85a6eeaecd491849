/// What turns a word into tokens. Source: Hugging Face tokenizers, `models`.
enum TokenModel: Sendable {
  case bytePairs(BytePairModel)
  case unigram(UnigramModel)
  case wordPiece(WordPieceModel)
  case wordLevel(WordLevelModel)

  /// Appends the ids of `word`, which is not empty, to `ids`.
  func encode(
    _ word: UnsafeBufferPointer<UInt8>, scratch: inout ModelScratch, to ids: inout [Int32]
  ) {
    switch self {
    case .bytePairs(let model): model.encode(word, scratch: &scratch.merging, to: &ids)
    case .unigram(let model): model.encode(word, scratch: &scratch.lattice, to: &ids)
    case .wordPiece(let model): model.encode(word, to: &ids)
    case .wordLevel(let model): ids.append(model.vocabulary.find(word) ?? model.unknown)
    }
  }

  /// The bytes that may stand before a cut that changes no result; see `BytePairModel`.
  var wordMark: [UInt8]? {
    if case .bytePairs(let model) = self { model.wordMark } else { nil }
  }
}

/// Arrays that encoding reuses from word to word.
struct ModelScratch {
  var merging = MergeScratch()
  var lattice = LatticeScratch()
}

/// A table of whole words.
struct WordLevelModel: Sendable {
  var vocabulary: TokenTable
  var unknown: Int32
}

/// Ids of the tokens "<0x00>"…"<0xFF>", by which SentencePiece spells what it has no piece for.
enum ByteTokens {
  static func name(_ byte: UInt8) -> String {
    let hex = String(byte, radix: 16, uppercase: true)
    return "<0x" + (byte < 16 ? "0" : "") + hex + ">"
  }

  /// ids[b], or -1 where the vocabulary lacks the token.
  static func ids(in vocabulary: TokenTable) -> [Int32] {
    (0..<256).map { vocabulary.find(name(UInt8($0))) ?? -1 }
  }

  /// The byte that a token spells; hexadecimal digits of either case.
  static func byte(_ token: some BidirectionalCollection<UInt8>) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token.last == 0x3E else { return nil }
    return UInt8(String(decoding: token.dropFirst(3).dropLast(), as: UTF8.self), radix: 16)
  }
}
