/// Counter-based random numbers: Philox 4x32 with ten rounds.
///
/// A stream is named by what it is for, never by when it is asked: the same (seed, keys) gives the
/// same numbers on every thread, in every batch, after every resume.
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
public struct Random: Sendable, RandomNumberGenerator {
  private let key: (UInt32, UInt32)
  private var counter: (UInt32, UInt32, UInt32, UInt32)
  private var block: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  private var unused = 0

  /// What a stream of random numbers is for.
  public enum Stage: UInt32, Sendable {
    case generate = 1
    case shuffle = 2
    case bootstrap = 3
    case initialise = 4
    case corrupt = 5
  }

  /// The stream of one item: `item` (a prompt, say) and `sub` (its answer) are part of the name,
  /// `position` is where in the stream to start, in blocks of four numbers.
  public init(
    seed: UInt64, stage: Stage, iteration: Int = 0, item: Int = 0, sub: Int = 0, position: Int = 0
  ) {
    // The seed is mixed with stage and iteration into the key; item, answer and position count.
    let mixed = Self.mix(
      seed ^ Self.mix(UInt64(stage.rawValue) << 32 | UInt64(UInt32(truncatingIfNeeded: iteration))))
    key = (UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
    counter = (
      UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: sub),
      UInt32(truncatingIfNeeded: item), UInt32(truncatingIfNeeded: item >> 32)
    )
  }

  /// The finaliser of SplitMix64: a bijection that spreads every bit.
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// One Philox block: a pure function of counter and key.
  static func philox(
    _ counter: (UInt32, UInt32, UInt32, UInt32), _ key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let low = UInt64(c.0) * 0xD251_1F53
      let high = UInt64(c.2) * 0xCD9E_8D57
      c = (
        UInt32(high >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: high),
        UInt32(low >> 32) ^ c.3 ^ k.1, UInt32(truncatingIfNeeded: low)
      )
      k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
    }
    return c
  }

  private mutating func word() -> UInt32 {
    if unused == 0 {
      block = Self.philox(counter, key)
      counter.0 &+= 1
      unused = 4
    }
    unused -= 1
    switch unused {
    case 3: return block.0
    case 2: return block.1
    case 1: return block.2
    default: return block.3
    }
  }

  public mutating func next() -> UInt64 {
    let low = UInt64(word())
    return UInt64(word()) << 32 | low
  }

  /// Uniform in [0, 1) with 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A permutation of 0..<count (Fisher-Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(next() % UInt64(i + 1)))
    }
    return order
  }
}
