/// Byte-pair encoding of one pre-tokenized word.
///
/// The word becomes symbols, one a character (or one a byte of the byte alphabet), and the
/// adjacent pair of lowest rank (leftmost of equals) is merged until no pair is in the table.
/// Source: Sennrich et al. 2016, arXiv:1508.07909; details as in Hugging Face's `BPE`. Words of n
/// symbols cost O(n²) with a tiny constant up to `scanLimit`, O(n log n) above.
struct BytePairModel: Sendable {
  let vocabulary: TokenTable
  let merges: MergeTable
  let options: Options
  /// byteIDs[b] = the symbol of byte b of a byte-level word, or -1; empty where words are text.
  let byteIDs: [Int32]
  /// scalarIDs[s] = the token of scalar value s < 0x10000, or -1; empty where words are bytes.
  private let scalarIDs: [Int32]
  /// Ids of the byte tokens; empty without byte fallback.
  private let fallbackIDs: [Int32]
  /// The mark of Metaspace, where no merge joins it to something before it: text may be cut in
  /// front of it without changing a token.
  let wordMark: [UInt8]?

  struct Options: Equatable, Sendable {
    /// Stands for what the vocabulary lacks; without one that vanishes, as in Hugging Face.
    var unknown: Int32?
    /// Consecutive unknown symbols give one `unknown`.
    var fusesUnknown = false
    /// A word that is itself a token is taken whole (Llama 3).
    var ignoresMerges = false
    var byteFallback = false
    /// Written before every symbol but the first of a word.
    var continuingPrefix = ""
    /// Written behind the last symbol of a word.
    var endSuffix = ""
    /// Words are raw bytes that stand for characters of the byte alphabet.
    var isByteLevel = false
  }

  static let scanLimit = 32

  /// - Parameter bytes: where the byte tokens are found; `vocabulary` unless given.
  init(
    vocabulary: TokenTable, bytes: TokenTable? = nil, merges: MergeTable, options: Options
  ) {
    self.vocabulary = vocabulary
    self.merges = merges
    self.options = options
    byteIDs =
      options.isByteLevel ? ByteAlphabet.scalars.map { vocabulary.find(String($0)) ?? -1 } : []
    fallbackIDs = options.byteFallback ? ByteTokens.ids(in: bytes ?? vocabulary) : []
    var table: [Int32] = []
    if !options.isByteLevel, options.continuingPrefix.isEmpty {
      table = [Int32](repeating: -1, count: 0x10000)
      for id in 0..<vocabulary.count {
        let bytes = vocabulary.bytes(Int32(id))
        guard bytes.count < 4, let first = bytes.first, TextScan.width(first) == bytes.count,
          let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first,
          table[Int(scalar.value)] < 0
        else { continue }
        table[Int(scalar.value)] = Int32(id)
      }
    }
    scalarIDs = table
    let mark = SentencePieceNormalizer.mark
    let mayCut =
      !options.isByteLevel && options.continuingPrefix.isEmpty && options.endSuffix.isEmpty
      && vocabulary.find("\u{2581}") != nil
    wordMark = mayCut && !Self.joinsMark(mark, vocabulary, merges) ? mark : nil
  }

  /// True where some merge makes a token in which the mark follows another character.
  private static func joinsMark(
    _ mark: [UInt8], _ vocabulary: TokenTable, _ merges: MergeTable
  ) -> Bool {
    for pair in merges.pairs {
      let right = vocabulary.bytes(pair.right)
      guard right.starts(with: mark) else { continue }
      if !vocabulary.bytes(pair.left).suffix(mark.count).elementsEqual(mark) { return true }
    }
    return false
  }

  /// Appends the ids of `word` to `ids`.
  func encode(
    _ word: UnsafeBufferPointer<UInt8>, scratch: inout MergeScratch, to ids: inout [Int32]
  ) {
    if options.ignoresMerges, let id = whole(word) {
      ids.append(id)
      return
    }
    scratch.symbols.removeAll(keepingCapacity: true)
    if options.isByteLevel {
      bytes(word, &scratch)
    } else {
      scalars(word, &scratch)
    }
    if scratch.symbols.count <= Self.scanLimit {
      mergeByScanning(&scratch)
    } else {
      mergeByHeap(&scratch)
    }
    ids.append(contentsOf: scratch.symbols)
  }

  private func whole(_ word: UnsafeBufferPointer<UInt8>) -> Int32? {
    guard options.isByteLevel else { return vocabulary.find(word) }
    return ByteAlphabet.encode(word).withUnsafeBufferPointer { vocabulary.find($0) }
  }

  // MARK: Symbols

  private func bytes(_ word: UnsafeBufferPointer<UInt8>, _ scratch: inout MergeScratch) {
    var pending = false
    byteIDs.withUnsafeBufferPointer { byteIDs in
      for byte in word { add(byteIDs[Int(byte)], &pending, &scratch) }
    }
    flush(&pending, &scratch)
  }

  private func scalars(_ word: UnsafeBufferPointer<UInt8>, _ scratch: inout MergeScratch) {
    var pending = false
    var at = 0
    while at < word.count {
      let (scalar, width) = TextScan.decode(word, at)
      let id = symbol(scalar, isFirst: at == 0, isLast: at + width == word.count)
      if id >= 0 || !options.byteFallback {
        add(id, &pending, &scratch)
      } else {
        fallBack(spelling(scalar, at == 0, at + width == word.count), &pending, &scratch)
      }
      at += width
    }
    flush(&pending, &scratch)
  }

  @inline(__always)
  private func symbol(_ scalar: Unicode.Scalar, isFirst: Bool, isLast: Bool) -> Int32 {
    if scalar.value < 0x10000, !scalarIDs.isEmpty, !isLast || options.endSuffix.isEmpty {
      return scalarIDs[Int(scalar.value)]
    }
    return vocabulary.find(spelling(scalar, isFirst, isLast)) ?? -1
  }

  private func spelling(_ scalar: Unicode.Scalar, _ isFirst: Bool, _ isLast: Bool) -> String {
    (isFirst ? "" : options.continuingPrefix) + String(scalar) + (isLast ? options.endSuffix : "")
  }

  /// All bytes of a symbol, or `unknown` where the vocabulary lacks one of them. An unknown that
  /// is still open stays open meanwhile and comes after the bytes: so it is in Hugging Face.
  private func fallBack(_ text: String, _ pending: inout Bool, _ scratch: inout MergeScratch) {
    if text.utf8.allSatisfy({ fallbackIDs[Int($0)] >= 0 }) {
      for byte in text.utf8 { scratch.symbols.append(fallbackIDs[Int(byte)]) }
    } else {
      add(-1, &pending, &scratch)
    }
  }

  /// A symbol, or -1 for one that the vocabulary lacks.
  @inline(__always)
  private func add(_ id: Int32, _ pending: inout Bool, _ scratch: inout MergeScratch) {
    if id >= 0 {
      flush(&pending, &scratch)
      scratch.symbols.append(id)
    } else {
      if !options.fusesUnknown { flush(&pending, &scratch) }
      pending = true
    }
  }

  @inline(__always)
  private func flush(_ pending: inout Bool, _ scratch: inout MergeScratch) {
    guard pending else { return }
    if let unknown = options.unknown { scratch.symbols.append(unknown) }
    pending = false
  }

  // MARK: Merging

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
      let right = Int(scratch.next[left])
      // A candidate is stale once either symbol has changed: it no longer spells this merge.
      guard right < count,
        top.pair == MergeTable.key(scratch.symbols[left], scratch.symbols[right]),
        let merge = merges.find(top.pair)
      else { continue }
      scratch.symbols[left] = merge.id
      scratch.symbols[right] = -1
      let after = Int(scratch.next[right])
      let before = Int(scratch.previous[left])
      scratch.next[left] = Int32(truncatingIfNeeded: after)
      if after < count {
        scratch.previous[after] = Int32(truncatingIfNeeded: left)
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
