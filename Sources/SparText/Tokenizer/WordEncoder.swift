import Foundation
import Synchronization

/// Cuts text into words and encodes them, remembering words.
///
/// Natural text repeats its words: on English prose nine of ten come from the cache. Its size is
/// bounded, and what it holds never changes a result.
struct WordEncoder {
  private var scratch = ModelScratch()
  let matches = MatchScratch()

  /// A word seen before: its bytes in `seen`, its ids in `known`.
  private struct Entry {
    var word: Int32
    var length: Int32
    var ids: Int32
    var count: Int32
  }
  private var entries: [Entry] = []
  /// slots[h] = an index of `entries`, or -1; a power of two, at most half full.
  private var slots = [Int32](repeating: -1, count: 256)
  private var seen: [UInt8] = []
  private var known: [Int32] = []

  static let cachedWords = 1 << 16
  static let longestCachedWord = 64

  /// Appends the ids of the text in `list`, which holds no added tokens.
  mutating func encode(_ list: inout PieceList, _ parts: TokenizerParts, to ids: inout [Int32]) {
    parts.preTokenizer?.apply(to: &list, scratch: matches)
    let mark = parts.model.wordMark
    list.bytes.withUnsafeBufferPointer { bytes in
      for piece in list.pieces {
        let word = UnsafeBufferPointer(rebasing: bytes[piece])
        if let mark, word.count > Self.longestCachedWord {
          cut(word, mark, parts.model, to: &ids)
        } else {
          encode(word, parts.model, to: &ids)
        }
      }
    }
  }

  /// A long word in stretches that begin with `mark`, where that changes nothing.
  private mutating func cut(
    _ word: UnsafeBufferPointer<UInt8>, _ mark: [UInt8], _ model: TokenModel,
    to ids: inout [Int32]
  ) {
    if case .bytePairs(let pairs) = model, pairs.options.ignoresMerges,
      let id = pairs.vocabulary.find(word)
    {
      ids.append(id)
      return
    }
    var start = 0
    var previousEnd = -1
    TextFinder.literal(mark).forEachMatch(in: word, scratch: matches) { match in
      if match.lowerBound > start, match.lowerBound != previousEnd {
        encode(UnsafeBufferPointer(rebasing: word[start..<match.lowerBound]), model, to: &ids)
        start = match.lowerBound
      }
      previousEnd = match.upperBound
    }
    encode(UnsafeBufferPointer(rebasing: word[start...]), model, to: &ids)
  }

  private mutating func encode(
    _ word: UnsafeBufferPointer<UInt8>, _ model: TokenModel, to ids: inout [Int32]
  ) {
    guard word.count <= Self.longestCachedWord, let bytes = word.baseAddress else {
      model.encode(word, scratch: &scratch, to: &ids)
      return
    }
    let mask = slots.count - 1
    var slot = Self.hash(word) & mask
    while slots[slot] >= 0 {
      let entry = entries[Int(slots[slot])]
      if Int(entry.length) == word.count,
        seen.withUnsafeBufferPointer({ seen in
          memcmp(seen.baseAddress.map { $0 + Int(entry.word) } ?? bytes, bytes, word.count) == 0
        })
      {
        append(entry, to: &ids)
        return
      }
      slot = (slot + 1) & mask
    }
    let start = ids.count
    model.encode(word, scratch: &scratch, to: &ids)
    guard entries.count < Self.cachedWords else { return }
    slots[slot] = Int32(truncatingIfNeeded: entries.count)
    entries.append(
      Entry(
        word: Int32(truncatingIfNeeded: seen.count), length: Int32(truncatingIfNeeded: word.count),
        ids: Int32(truncatingIfNeeded: known.count),
        count: Int32(truncatingIfNeeded: ids.count - start)))
    seen.append(contentsOf: word)
    known.append(contentsOf: ids[start...])
    if 2 * entries.count >= slots.count { grow() }
  }

  @inline(__always)
  private func append(_ entry: Entry, to ids: inout [Int32]) {
    let start = Int(entry.ids)
    if entry.count == 1 {
      ids.append(known[start])
    } else {
      for i in start..<(start + Int(entry.count)) { ids.append(known[i]) }
    }
  }

  private mutating func grow() {
    let mask = slots.count * 2 - 1
    slots = [Int32](repeating: -1, count: mask + 1)
    seen.withUnsafeBufferPointer { seen in
      for (i, entry) in entries.enumerated() {
        let start = Int(entry.word)
        let word = UnsafeBufferPointer(rebasing: seen[start..<(start + Int(entry.length))])
        var slot = Self.hash(word) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(truncatingIfNeeded: i)
      }
    }
  }

  /// Eight bytes at a time; for tables in memory only.
  @inline(__always)
  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> Int {
    let raw = UnsafeRawBufferPointer(word)
    var hash = UInt64(truncatingIfNeeded: word.count)
    var at = 0
    while at + 8 <= raw.count {
      hash =
        (hash ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 32
      at += 8
    }
    var rest: UInt64 = 0
    while at < raw.count {
      rest = rest << 8 | UInt64(raw[at])
      at += 1
    }
    hash = (hash ^ rest) &* 0xD6E8_FEB8_6659_FD93
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
  }
}

/// Encoders with what they remember, one for each call that runs at the same time.
final class EncoderPool: Sendable {
  private let free = Mutex<[Box]>([])

  /// `@unchecked`: a box is either in the pool or with one call.
  private final class Box: @unchecked Sendable {
    var encoder = WordEncoder()
  }

  static let kept = 16

  func withEncoder<R>(_ body: (inout WordEncoder) -> R) -> R {
    let box = free.withLock { $0.popLast() } ?? Box()
    defer {
      free.withLock { boxes in
        if boxes.count < Self.kept { boxes.append(box) }
      }
    }
    return body(&box.encoder)
  }
}
