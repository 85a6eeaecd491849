/// Text and the pieces that it has been cut into, in order, none empty; pieces may leave gaps.
struct PieceList {
  var bytes: [UInt8]
  var pieces: [Range<Int>]
  /// The first piece begins where the text given to `encode` begins.
  var startsText: Bool

  init(_ bytes: [UInt8], startsText: Bool) {
    self.bytes = bytes
    self.startsText = startsText
    pieces = bytes.isEmpty ? [] : [0..<bytes.count]
  }

  /// A space before every piece that has none, as ByteLevel's `add_prefix_space` does.
  mutating func prefixSpaces() {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + pieces.count)
    for i in pieces.indices {
      let start = out.count
      if bytes[pieces[i].lowerBound] != 0x20 { out.append(0x20) }
      out.append(contentsOf: bytes[pieces[i]])
      pieces[i] = start..<out.count
    }
    bytes = out
  }

  /// Every byte as its character of GPT-2's alphabet.
  mutating func mapBytes() {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count * 5 / 4)
    for i in pieces.indices {
      let start = out.count
      for byte in bytes[pieces[i]] { out.append(contentsOf: ByteAlphabet.utf8[Int(byte)]) }
      pieces[i] = start..<out.count
    }
    bytes = out
  }

  mutating func split(
    _ finder: TextFinder, _ behavior: SplitBehavior, invert: Bool, scratch: MatchScratch
  ) {
    cut(behavior) { text, runs in
      var end = 0
      finder.forEachMatch(in: text, scratch: scratch) { match in
        if match.lowerBound > end {
          runs.append(Run(range: end..<match.lowerBound, isMatch: invert))
        }
        runs.append(Run(range: match, isMatch: !invert))
        end = match.upperBound
      }
      if end < text.count { runs.append(Run(range: end..<text.count, isMatch: invert)) }
    }
  }

  /// Every character of the class is a match of its own.
  mutating func split(_ behavior: SplitBehavior, where isMatch: (Unicode.Scalar) -> Bool) {
    cut(behavior) { text, runs in
      var at = 0
      var end = 0
      while at < text.count {
        let (scalar, width) = TextScan.decode(text, at)
        if isMatch(scalar) {
          if at > end { runs.append(Run(range: end..<at, isMatch: false)) }
          runs.append(Run(range: at..<(at + width), isMatch: true))
          end = at + width
        }
        at += width
      }
      if end < text.count { runs.append(Run(range: end..<text.count, isMatch: false)) }
    }
  }

  /// `\w+|[^\w\s]+`, the rest is dropped.
  mutating func splitWords() {
    cut(.isolated) { text, runs in
      enum Kind { case word, space, other }
      var start = 0
      var at = 0
      var previous = Kind.space
      while at < text.count {
        let (scalar, width) = TextScan.decode(text, at)
        let kind: Kind =
          TextScan.isWord(scalar) ? .word : TextScan.isSpace(scalar) ? .space : .other
        if kind != previous {
          if previous != .space { runs.append(Run(range: start..<at, isMatch: true)) }
          start = at
          previous = kind
        }
        at += width
      }
      if previous != .space { runs.append(Run(range: start..<at, isMatch: true)) }
    }
  }

  /// Cuts every piece into the runs that `find` lists for it.
  private mutating func cut(
    _ behavior: SplitBehavior, _ find: (UnsafeBufferPointer<UInt8>, inout [Run]) -> Void
  ) {
    guard let first = pieces.first?.lowerBound else { return }
    var out: [Range<Int>] = []
    out.reserveCapacity(max(pieces.count, bytes.count / 4))
    bytes.withUnsafeBufferPointer { buffer in
      var runs: [Run] = []
      for piece in pieces {
        runs.removeAll(keepingCapacity: true)
        find(UnsafeBufferPointer(rebasing: buffer[piece]), &runs)
        behavior.arrange(runs, offset: piece.lowerBound, into: &out)
      }
    }
    pieces = out
    startsText = startsText && out.first?.lowerBound == first
  }
}

/// A stretch of a piece: a match of the pattern, or what lies between.
struct Run {
  var range: Range<Int>
  var isMatch: Bool
}

/// What becomes of the matches of a Split; the names are Hugging Face's.
enum SplitBehavior: String, CaseIterable, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  func arrange(_ runs: [Run], offset: Int, into out: inout [Range<Int>]) {
    func place(_ range: Range<Int>) -> Range<Int> {
      (range.lowerBound + offset)..<(range.upperBound + offset)
    }
    switch self {
    case .isolated:
      for run in runs { out.append(place(run.range)) }
    case .removed:
      for run in runs where !run.isMatch { out.append(place(run.range)) }
    case .contiguous:
      join(runs, into: &out, place) { previous, run in previous.isMatch == run.isMatch }
    case .mergedWithPrevious:
      join(runs, into: &out, place) { previous, run in run.isMatch && !previous.isMatch }
    case .mergedWithNext:
      join(runs, into: &out, place) { previous, run in previous.isMatch && !run.isMatch }
    }
  }

  private func join(
    _ runs: [Run], into out: inout [Range<Int>], _ place: (Range<Int>) -> Range<Int>,
    _ belongs: (Run, Run) -> Bool
  ) {
    for (i, run) in runs.enumerated() {
      if i > 0, belongs(runs[i - 1], run), let last = out.popLast() {
        out.append(last.lowerBound..<place(run.range).upperBound)
      } else {
        out.append(place(run.range))
      }
    }
  }
}
