/// Cuts text into words and encodes them, remembering words for the length of one call.
///
/// Natural text repeats its words: on English prose nine of ten come from the cache. The cache
/// lives in the call, so nothing is locked and nothing grows from call to call.
struct WordEncoder {
  private let parts: TokenizerParts
  private let matches = MatchScratch()
  private var merging = MergeScratch()

  /// A word seen before: its bytes in `seen`, its ids in `known`.
  private struct Entry {
    var bytes: Range<Int>
    var ids: Range<Int>
  }
  private var entries: [Entry] = []
  private var slots: [Int32] = []
  private var seen: [UInt8] = []
  private var known: [Int32] = []

  static let cachedWords = 1 << 16
  static let longestCachedWord = 64

  init(parts: TokenizerParts) {
    self.parts = parts
  }

  /// Appends the ids of `text`, which holds no added tokens.
  mutating func encode(_ text: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    var list = PieceList(text)
    parts.preTokenizer.apply(to: &list, scratch: matches)
    reserve(list.pieces.count)
    list.bytes.withUnsafeBufferPointer { bytes in
      for piece in list.pieces {
        word(UnsafeBufferPointer(rebasing: bytes[piece]), to: &ids)
      }
    }
  }

  /// Room for as many words as may come, at most half full; small texts need no cache.
  private mutating func reserve(_ count: Int) {
    guard count > 64, slots.count < 2 * min(entries.count + count, Self.cachedWords) else { return }
    var capacity = 256
    while capacity < 2 * min(entries.count + count, Self.cachedWords) { capacity *= 2 }
    slots = [Int32](repeating: -1, count: capacity)
    for (i, entry) in entries.enumerated() {
      var slot = seen[entry.bytes].withUnsafeBufferPointer { TokenTable.hash($0) } & (capacity - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (capacity - 1) }
      slots[slot] = Int32(i)
    }
  }

  private mutating func word(_ word: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    if word.count == 1, !parts.model.ignoresMerges, parts.model.byteIDs[Int(word[0])] >= 0 {
      ids.append(parts.model.byteIDs[Int(word[0])])
      return
    }
    guard !slots.isEmpty, word.count <= Self.longestCachedWord else {
      parts.model.encode(word, in: parts.vocabulary, scratch: &merging, to: &ids)
      return
    }
    var slot = TokenTable.hash(word) & (slots.count - 1)
    while slots[slot] >= 0 {
      let entry = entries[Int(slots[slot])]
      if matches(entry, word) {
        ids.append(contentsOf: known[entry.ids])
        return
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    let start = ids.count
    parts.model.encode(word, in: parts.vocabulary, scratch: &merging, to: &ids)
    guard 2 * entries.count < slots.count else { return }
    slots[slot] = Int32(entries.count)
    entries.append(
      Entry(
        bytes: seen.count..<(seen.count + word.count),
        ids: known.count..<(known.count + ids.count - start)))
    seen.append(contentsOf: word)
    known.append(contentsOf: ids[start...])
  }

  private func matches(_ entry: Entry, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
    guard entry.bytes.count == word.count else { return false }
    let start = entry.bytes.lowerBound
    for i in 0..<word.count where seen[start + i] != word[i] { return false }
    return true
  }
}
