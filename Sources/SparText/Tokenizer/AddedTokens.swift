/// A token that is recognised in running text, before any cutting.
struct AddedToken: Equatable, Sendable {
  var id: Int32
  var content: String
  /// Left out by `decode(skipSpecial:)`.
  var special: Bool
  /// Matched after normalization instead of before.
  var normalized = false
  /// Only where no letter, digit or underscore touches it.
  var singleWord = false
  /// Swallows the white space on that side.
  var stripsLeft = false
  var stripsRight = false
}

/// Finds added tokens in text: leftmost, then longest. Source: `AddedVocabulary` of Hugging Face
/// tokenizers. Cost O(text × longest token) at worst, one table look-up a byte in general.
struct AddedTokenMatcher: Sendable {
  private var tokens: [AddedToken]
  /// Sorted; tokens[i] is spelled contents[i].
  private var contents: [[UInt8]]
  /// first[b] = the range of contents that start with byte b.
  private var first: [Range<Int>]

  init(_ added: [AddedToken]) {
    var seen: Set<[UInt8]> = []
    let sorted = added.map { (token: $0, bytes: Array($0.content.utf8)) }
      .filter { !$0.bytes.isEmpty && seen.insert($0.bytes).inserted }
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    tokens = sorted.map(\.token)
    contents = sorted.map(\.bytes)
    first = [Range<Int>](repeating: 0..<0, count: 256)
    for (i, content) in contents.enumerated() {
      let byte = Int(content[0])
      first[byte] = (first[byte].isEmpty ? i : first[byte].lowerBound)..<(i + 1)
    }
  }

  var isEmpty: Bool { tokens.isEmpty }

  /// A stretch of text, or a token in it.
  enum Part: Equatable {
    case text(Range<Int>)
    case token(Int32)
  }

  func split(_ text: UnsafeBufferPointer<UInt8>) -> [Part] {
    var parts: [Part] = []
    var done = 0
    var at = 0
    while at < text.count {
      guard !first[Int(text[at])].isEmpty, let match = longest(text, at) else {
        at += 1
        continue
      }
      var start = at
      var end = at + contents[match].count
      at = end
      let token = tokens[match]
      if token.singleWord, touchesWord(text, start, end) { continue }
      if token.stripsLeft { start = max(done, TextScan.spaceStart(text, before: start)) }
      if token.stripsRight { end = TextScan.spaceEnd(text, from: end) }
      if start < done { continue }
      if done < start { parts.append(.text(done..<start)) }
      parts.append(.token(token.id))
      done = end
      at = max(at, end)
    }
    if done < text.count { parts.append(.text(done..<text.count)) }
    return parts
  }

  /// The longest token that starts at `at`: narrows the sorted range byte by byte.
  private func longest(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int? {
    var range = first[Int(text[at])]
    var depth = 1
    var best: Int?
    while !range.isEmpty {
      // In sorted order, the one that ends here comes first.
      if contents[range.lowerBound].count == depth {
        best = range.lowerBound
        range = (range.lowerBound + 1)..<range.upperBound
      }
      guard at + depth < text.count else { break }
      let byte = text[at + depth]
      let low = bound(range) { contents[$0][depth] < byte }
      let high = bound(low..<range.upperBound) { contents[$0][depth] <= byte }
      range = low..<high
      depth += 1
    }
    return best
  }

  /// The first index of the range for which `isBefore` no longer holds.
  private func bound(_ range: Range<Int>, _ isBefore: (Int) -> Bool) -> Int {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func touchesWord(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
    if start > 0, TextScan.isWord(TextScan.scalar(text, before: start)) { return true }
    return end < text.count && TextScan.isWord(TextScan.scalar(text, at: end))
  }
}
