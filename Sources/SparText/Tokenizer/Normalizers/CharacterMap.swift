import Foundation

/// SentencePiece's compiled rules of replacement (`precompiled_charsmap`).
///
/// A length in bytes, a double-array trie of 32-bit units (Aoe's, as darts-clone lays it out) and
/// a pool of replacements that end with a zero byte, each known by its offset. All of it comes
/// from a file, so every step is checked against the bounds; a unit that leads outside matches
/// nothing.
struct CharacterMap: Sendable, Equatable {
  /// As the file has it, for export.
  let blob: [UInt8]
  private let units: [UInt32]
  private let pool: [UInt8]

  /// What is wrong with a blob.
  struct Malformed: Error, Equatable {
    var found: String
    var expected: String
  }

  /// - Throws: `Malformed` where the blob is shorter than it says or its pool is not UTF-8.
  init(blob: [UInt8]) throws(Malformed) {
    guard blob.count > 4 else {
      throw Malformed(found: "\(blob.count) bytes", expected: "more than 4")
    }
    let size = (0..<4).reduce(0) { $0 | Int(blob[$1]) << (8 * $1) }
    guard size > 0, size % 4 == 0, size <= blob.count - 4 else {
      throw Malformed(
        found: "a trie of \(size) bytes in a map of \(blob.count)",
        expected: "a multiple of 4, at most \(blob.count - 4)")
    }
    self.blob = blob
    units = stride(from: 4, to: 4 + size, by: 4).map { at in
      UInt32(blob[at]) | UInt32(blob[at + 1]) << 8 | UInt32(blob[at + 2]) << 16
        | UInt32(blob[at + 3]) << 24
    }
    pool = Array(blob[(4 + size)...])
    guard String(validating: pool, as: UTF8.self) != nil else {
      throw Malformed(found: "a pool that is not UTF-8", expected: "replacements in UTF-8")
    }
  }

  /// A rule that applies: the bytes it reads and what it writes.
  struct Match {
    var length: Int
    var replacement: Range<Int>
  }

  func replacement(_ match: Match) -> ArraySlice<UInt8> { pool[match.replacement] }

  /// Bytes of the longest entry of the pool.
  var longestReplacement: Int {
    pool.split(separator: 0, omittingEmptySubsequences: true).map(\.count).max() ?? 0
  }

  /// The shortest or the longest rule whose key starts `text`.
  func match(_ text: UnsafeBufferPointer<UInt8>, longest: Bool) -> Match? {
    var best: Match?
    guard var node = step(0, units[0]) else { return nil }
    for (i, byte) in text.enumerated() {
      if byte == 0 { break }
      node ^= Int(byte)
      guard node < units.count else { break }
      let unit = units[node]
      // The top bit of a label marks a value, which no byte equals.
      guard unit & 0x8000_00FF == UInt32(byte), let next = step(node, unit) else { break }
      node = next
      guard unit >> 8 & 1 == 1 else { continue }
      guard let replacement = entry(at: Int(units[node] & 0x7FFF_FFFF)) else { break }
      best = Match(length: i + 1, replacement: replacement)
      if !longest { break }
    }
    return best
  }

  private func step(_ node: Int, _ unit: UInt32) -> Int? {
    let next = node ^ Int((unit >> 10) << ((unit & 1 << 9) >> 6))
    return next < units.count ? next : nil
  }

  private func entry(at start: Int) -> Range<Int>? {
    guard start <= pool.count else { return nil }
    let end = pool[start...].firstIndex(of: 0) ?? pool.count
    // A start amid a character would make text that is not UTF-8.
    if start < end, pool[start] & 0xC0 == 0x80 { return nil }
    return start..<end
  }

  /// As Hugging Face applies it: a grapheme cluster of less than six bytes is replaced as a whole
  /// where a rule matches its beginning (the shortest such rule, whatever follows in the cluster);
  /// otherwise its characters one by one.
  func apply(to text: inout [UInt8]) {
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 8)
    text.withUnsafeBufferPointer { bytes in
      var at = 0
      while at < bytes.count {
        // ASCII before ASCII is a cluster of its own, but for CR LF.
        if bytes[at] < 0x80, at + 1 == bytes.count || bytes[at + 1] < 0x80,
          bytes[at] != 0x0D || at + 1 == bytes.count || bytes[at + 1] != 0x0A
        {
          replace(UnsafeBufferPointer(rebasing: bytes[at..<(at + 1)]), to: &out)
          at += 1
          continue
        }
        // A stretch up to the next pair of ASCII characters holds whole clusters.
        var end = at + 1
        while end < bytes.count, bytes[end] >= 0x80 || bytes[end - 1] >= 0x80 { end += 1 }
        if end < bytes.count { end = at + 1 == end ? end + 1 : end }
        clusters(UnsafeBufferPointer(rebasing: bytes[at..<end]), to: &out)
        at = end
      }
    }
    text = out
  }

  private func clusters(_ stretch: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    var at = 0
    for cluster in String(decoding: stretch, as: UTF8.self) {
      let end = at + cluster.utf8.count
      let whole = UnsafeBufferPointer(rebasing: stretch[at..<end])
      if whole.count < 6, let match = match(whole, longest: false) {
        out.append(contentsOf: replacement(match))
      } else {
        var start = 0
        while start < whole.count {
          let width = min(TextScan.width(whole[start]), whole.count - start)
          replace(UnsafeBufferPointer(rebasing: whole[start..<(start + width)]), to: &out)
          start += width
        }
      }
      at = end
    }
  }

  private func replace(_ part: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    if let match = match(part, longest: false) {
      out.append(contentsOf: replacement(match))
    } else {
      out.append(contentsOf: part)
    }
  }
}
