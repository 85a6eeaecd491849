/// The vocabulary: id ⇄ the exact UTF-8 of a token.
///
/// Not a `[String: Int32]`, because Swift's strings compare by canonical equivalence and a
/// vocabulary may hold both forms of one character. Open addressing over one pool of bytes.
struct TokenTable: Sendable {
  private var pool: [UInt8] = []
  private var starts: [Int] = [0]
  private var slots: [Int32]
  private let mask: Int

  /// `tokens[id]`; an empty string is an unused id. Of two equal tokens the first id is found.
  init(_ tokens: [String]) {
    var capacity = 16
    while capacity < tokens.count * 2 { capacity *= 2 }
    slots = [Int32](repeating: -1, count: capacity)
    mask = capacity - 1
    starts.reserveCapacity(tokens.count + 1)
    pool.reserveCapacity(tokens.count * 8)
    for id in tokens.indices {
      var token = tokens[id]
      token.withUTF8 { bytes in
        pool.append(contentsOf: bytes)
        starts.append(pool.count)
        if !bytes.isEmpty { insert(bytes, Int32(id)) }
      }
    }
  }

  var count: Int { starts.count - 1 }

  func bytes(_ id: Int32) -> ArraySlice<UInt8> {
    pool[starts[Int(id)]..<starts[Int(id) + 1]]
  }

  func text(_ id: Int32) -> String? {
    guard id >= 0, Int(id) < count else { return nil }
    let bytes = bytes(id)
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  func find(_ token: String) -> Int32? {
    var token = token
    return token.withUTF8 { find($0) }
  }

  func find(_ token: UnsafeBufferPointer<UInt8>) -> Int32? {
    var slot = Self.hash(token) & mask
    while slots[slot] >= 0 {
      if equals(slots[slot], token) { return slots[slot] }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func insert(_ token: UnsafeBufferPointer<UInt8>, _ id: Int32) {
    var slot = Self.hash(token) & mask
    while slots[slot] >= 0 {
      if equals(slots[slot], token) { return }
      slot = (slot + 1) & mask
    }
    slots[slot] = id
  }

  private func equals(_ id: Int32, _ token: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = starts[Int(id)]
    guard starts[Int(id) + 1] - start == token.count else { return false }
    for i in 0..<token.count where pool[start + i] != token[i] { return false }
    return true
  }

  /// FNV-1a; the high half is folded in because the mask keeps low bits only.
  static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
  }
}
