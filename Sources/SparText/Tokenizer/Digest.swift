/// A stable 128-bit fingerprint (FNV-1a; not for security).
///
/// Source: Fowler, Noll, Vo; offset basis and prime of the 128-bit variant.
struct Digest {
  private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

  private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { state = (state ^ UInt128(byte)) &* Self.prime }
  }

  mutating func add(_ number: Int32) {
    var rest = UInt32(bitPattern: number)
    for _ in 0..<4 {
      state = (state ^ UInt128(rest & 0xFF)) &* Self.prime
      rest >>= 8
    }
  }

  var hexadecimal: String {
    let text = String(state, radix: 16)
    return String(repeating: "0", count: 32 - text.count) + text
  }

  /// Tokens by id, merges by rank, special ids in order; lengths in front, so that no two
  /// tokenizers spell the same bytes.
  static func of(_ parts: TokenizerParts) -> String {
    var digest = Digest()
    digest.add(Int32(parts.tokens.count))
    for token in parts.tokens {
      digest.add(Int32(token.utf8.count))
      digest.add(token.utf8)
    }
    switch parts.model {
    case .bytePairs(let model):
      digest.add(Int32(model.merges.pairs.count))
      for (left, right) in model.merges.pairs {
        digest.add(left)
        digest.add(right)
      }
    case .unigram(let model):
      digest.add("Unigram".utf8)
      for score in model.scores {
        let bits = score.bitPattern
        digest.add(Int32(truncatingIfNeeded: bits))
        digest.add(Int32(truncatingIfNeeded: bits >> 32))
      }
    case .wordPiece: digest.add("WordPiece".utf8)
    case .wordLevel: digest.add("WordLevel".utf8)
    }
    for token in parts.added.sorted(by: { $0.id < $1.id }) where token.special {
      digest.add(token.id)
    }
    return digest.hexadecimal
  }
}
