/// Byte-pair encoding of one pre-tokenized word.
///
/// The word's bytes become symbols, and the adjacent pair of lowest rank (leftmost of equals) is
/// merged until no pair is in the table. Source: Sennrich et al. 2016, arXiv:1508.07909, in the
/// byte-level form of GPT-2. Words of n symbols cost O(n²) with a tiny constant up to
/// `scanLimit`, O(n log n) above.
struct BytePairModel: Sendable {
  let merges: MergeTable
  /// byteIDs[b] = the id of byte b's character, or -1 where the vocabulary lacks it.
  let byteIDs: [Int32]
  /// Stands for bytes that the vocabulary lacks; without one they vanish, as in Hugging Face.
  let unknown: Int32?
  /// Consecutive unknown bytes give one `unknown`.
  let fusesUnknown: Bool
  /// A word that is itself a token is taken whole (Llama 3).
  let ignoresMerges: Bool

  static let scanLimit = 32

  init(
    vocabulary: TokenTable, merges: MergeTable, unknown: Int32?, fusesUnknown: Bool,
    ignoresMerges: Bool
  ) {
    self.merges = merges
    self.unknown = unknown
    self.fusesUnknown = fusesUnknown
    self.ignoresMerges = ignoresMerges
    byteIDs = ByteAlphabet.scalars.map { vocabulary.find(String($0)) ?? -1 }
  }

  /// Appends the ids of `word` (raw bytes) to `ids`.
  func encode(
    _ word: UnsafeBufferPointer<UInt8>, in vocabulary: TokenTable, scratch: inout MergeScratch,
    to ids: inout [Int32]
  ) {
    if ignoresMerges {
      let spelled = ByteAlphabet.encode(word)
      if let id = spelled.withUnsafeBufferPointer({ vocabulary.find($0) }) {
        ids.append(id)
        return
      }
    }
    scratch.symbols.removeAll(keepingCapacity: true)
    var previousUnknown = false
    for byte in word {
      let id = byteIDs[Int(byte)]
      if id >= 0 {
        scratch.symbols.append(id)
      } else if let unknown, !(fusesUnknown && previousUnknown) {
        scratch.symbols.append(unknown)
      }
      previousUnknown = id < 0
    }
    if scratch.symbols.count <= Self.scanLimit {
      mergeByScanning(&scratch)
    } else {
      mergeByHeap(&scratch)
    }
    ids.append(contentsOf: scratch.symbols)
  }

  /// The definition: look at all pairs, merge the best, start again.
  func mergeByScanning(_ scratch: inout MergeScratch) {
    while scratch.symbols.count > 1 {
      var best = MergeTable.Merge(rank: .max, id: 0)
      var place = -1
      for i in 0..<(scratch.symbols.count - 1) {
        if let merge = merges.find(scratch.symbols[i], scratch.symbols[i + 1]),
          merge.rank < best.rank
        {
          (best, place) = (merge, i)
        }
      }
      guard place >= 0 else { return }
      scratch.symbols[place] = best.id
      scratch.symbols.remove(at: place + 1)
    }
  }

  /// The same by a heap of candidate pairs over a linked list of symbols.
  func mergeByHeap(_ scratch: inout MergeScratch) {
    let count = scratch.symbols.count
    guard count > 1 else { return }
    scratch.link(count)
    for i in 0..<(count - 1) { push(i, i + 1, &scratch) }
    while let top = scratch.heap.pop() {
      let left = top.left
      let right = scratch.next[left]
      // A candidate is stale once either symbol has changed: it no longer spells this merge.
      guard right < count,
        top.pair == MergeTable.key(scratch.symbols[left], scratch.symbols[right]),
        let merge = merges.find(top.pair)
      else { continue }
      scratch.symbols[left] = merge.id
      scratch.symbols[right] = -1
      let after = scratch.next[right]
      let before = scratch.previous[left]
      scratch.next[left] = after
      if after < count {
        scratch.previous[after] = left
        push(left, after, &scratch)
      }
      if before >= 0 { push(before, left, &scratch) }
    }
    scratch.symbols.removeAll { $0 < 0 }
  }

  private func push(_ left: Int, _ right: Int, _ scratch: inout MergeScratch) {
    let pair = MergeTable.key(scratch.symbols[left], scratch.symbols[right])
    guard let merge = merges.find(pair) else { return }
    scratch.heap.push(MergeCandidate(rank: merge.rank, left: left, pair: pair))
  }
}

/// A pair that could be merged, as it stood when it was found. Sixteen bytes, because the heap
/// of a long word is bound by memory.
struct MergeCandidate {
  /// Rank above, place below: lowest rank first, leftmost of equals.
  private var order: UInt64
  var pair: UInt64

  /// `left` < 2³², since words are shorter than that.
  init(rank: Int32, left: Int, pair: UInt64) {
    order = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(truncatingIfNeeded: left))
    self.pair = pair
  }

  var left: Int { Int(truncatingIfNeeded: order & 0xFFFF_FFFF) }

  static func < (a: MergeCandidate, b: MergeCandidate) -> Bool { a.order < b.order }
}

/// Arrays that encoding reuses from word to word.
struct MergeScratch {
  var symbols: [Int32] = []
  var next: [Int] = []
  var previous: [Int] = []
  var heap = MergeHeap()

  mutating func link(_ count: Int) {
    next = Array(1...count)
    previous = Array(-1..<(count - 1))
    heap.removeAll()
  }
}

/// A binary min-heap.
struct MergeHeap {
  private var items: [MergeCandidate] = []

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  mutating func push(_ item: MergeCandidate) {
    var child = items.count
    items.append(item)
    while child > 0 {
      let parent = (child - 1) / 2
      guard item < items[parent] else { break }
      items[child] = items[parent]
      child = parent
    }
    items[child] = item
  }

  mutating func pop() -> MergeCandidate? {
    guard let top = items.first, let last = items.popLast() else { return nil }
    guard !items.isEmpty else { return top }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < items.count else { break }
      if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
      guard items[child] < last else { break }
      items[parent] = items[child]
      parent = child
    }
    items[parent] = last
    return top
  }
}
