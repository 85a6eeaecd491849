/// How text is cut into words before BPE; merges never cross a cut.
///
/// Source: Hugging Face tokenizers, `pre_tokenizers`. The byte-to-character step of ByteLevel is
/// left to `BytePairModel`, which works on raw bytes.
indirect enum PreTokenizer: Sendable {
  /// GPT-2's words; `words` is nil for `use_regex: false`.
  case byteLevel(addPrefixSpace: Bool, words: Pattern?)
  case digits(individual: Bool, digit: Pattern)
  case split(Pattern, SplitBehavior, invert: Bool)
  case sequence([PreTokenizer])

  /// GPT-2's pattern, which ByteLevel implies.
  static let gpt2Words =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// True where a ByteLevel is part of it, which byte-level BPE needs.
  var isByteLevel: Bool {
    switch self {
    case .byteLevel: true
    case .digits, .split: false
    case .sequence(let parts): parts.contains { $0.isByteLevel }
    }
  }

  func apply(to text: inout PieceList, scratch: MatchScratch) {
    switch self {
    case .byteLevel(let addPrefixSpace, let words):
      if addPrefixSpace { text.prefixSpaces() }
      if let words { text.split(words, .isolated, invert: false, scratch: scratch) }
    case .digits(let individual, let digit):
      text.split(digit, individual ? .isolated : .contiguous, invert: false, scratch: scratch)
    case .split(let pattern, let behavior, let invert):
      text.split(pattern, behavior, invert: invert, scratch: scratch)
    case .sequence(let parts):
      for part in parts { part.apply(to: &text, scratch: scratch) }
    }
  }
}

/// What becomes of the matches of a Split; the names are Hugging Face's.
enum SplitBehavior: String, CaseIterable, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"
}

/// Text and the pieces that it has been cut into, in order; pieces may leave gaps (Removed).
struct PieceList {
  var bytes: [UInt8]
  var pieces: [Range<Int>]

  init(_ text: UnsafeBufferPointer<UInt8>) {
    bytes = Array(text)
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

  mutating func split(
    _ pattern: Pattern, _ behavior: SplitBehavior, invert: Bool, scratch: MatchScratch
  ) {
    var out: [Range<Int>] = []
    out.reserveCapacity(max(pieces.count, bytes.count / 4))
    bytes.withUnsafeBufferPointer { buffer in
      var runs: [Run] = []
      for piece in pieces {
        runs.removeAll(keepingCapacity: true)
        var end = 0
        let text = UnsafeBufferPointer(rebasing: buffer[piece])
        pattern.forEachMatch(in: text, scratch: scratch) { match in
          if match.lowerBound > end {
            runs.append(Run(range: end..<match.lowerBound, isMatch: invert))
          }
          runs.append(Run(range: match, isMatch: !invert))
          end = match.upperBound
        }
        if end < text.count { runs.append(Run(range: end..<text.count, isMatch: invert)) }
        behavior.arrange(runs, offset: piece.lowerBound, into: &out)
      }
    }
    pieces = out
  }
}

/// A stretch of a piece: a match of the pattern, or what lies between.
struct Run {
  var range: Range<Int>
  var isMatch: Bool
}

extension SplitBehavior {
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
