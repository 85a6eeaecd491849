/// A pair that could be merged, as it stood when it was found. Sixteen bytes, because the heap
/// of a long word is bound by memory.
struct MergeCandidate {
  /// Rank above, place below: lowest rank first, leftmost of equals.
  private var order: UInt64
  var pair: UInt64

  /// `left` < 2³¹, since words are shorter than that.
  init(rank: Int32, left: Int, pair: UInt64) {
    order = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(truncatingIfNeeded: left))
    self.pair = pair
  }

  var left: Int { Int(truncatingIfNeeded: order & 0xFFFF_FFFF) }

  static func < (a: MergeCandidate, b: MergeCandidate) -> Bool { a.order < b.order }
}

/// Arrays that merging reuses from word to word.
struct MergeScratch {
  var symbols: [Int32] = []
  var next: [Int32] = []
  var previous: [Int32] = []
  var heap = MergeHeap()

  mutating func link(_ count: Int) {
    let count = Int32(truncatingIfNeeded: count)
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
