/// The merges of a BPE model: (left id, right id) → rank and id of the joined token.
///
/// One open-addressed array; a look-up is the inner step of encoding.
struct MergeTable: Sendable {
  struct Merge: Equatable, Sendable {
    var rank: Int32
    var id: Int32
  }

  private var keys: [UInt64]
  private var values: [Merge]
  private let mask: Int
  /// In rank order, for export and for the digest.
  private(set) var pairs: [(left: Int32, right: Int32)] = []

  private static let free = UInt64.max

  init(capacity count: Int) {
    var capacity = 16
    while capacity < count * 2 { capacity *= 2 }
    keys = [UInt64](repeating: Self.free, count: capacity)
    values = [Merge](repeating: Merge(rank: 0, id: 0), count: capacity)
    mask = capacity - 1
    pairs.reserveCapacity(count)
  }

  /// Two ids as one key; ids are not negative, so no key is `free`.
  @inline(__always)
  static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private func slot(_ key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while keys[slot] != Self.free, keys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }

  /// The next merge in rank order; of a pair given twice the later one counts, as in Hugging
  /// Face's map.
  ///
  /// - Parameter rank: its place in the order unless given; merges of equal rank go from left to
  ///   right.
  mutating func append(_ left: Int32, _ right: Int32, id: Int32, rank: Int? = nil) {
    let key = Self.key(left, right)
    let slot = slot(key)
    keys[slot] = key
    values[slot] = Merge(rank: Int32(truncatingIfNeeded: rank ?? pairs.count), id: id)
    pairs.append((left, right))
  }

  @inline(__always)
  func find(_ key: UInt64) -> Merge? {
    let slot = slot(key)
    return keys[slot] == key ? values[slot] : nil
  }

  @inline(__always)
  func find(_ left: Int32, _ right: Int32) -> Merge? {
    find(Self.key(left, right))
  }
}
