/// How text is cut into words before the model; no token crosses a cut.
///
/// Source: Hugging Face tokenizers, `pre_tokenizers`.
indirect enum PreTokenizer: Sendable {
  /// GPT-2's words; `words` is nil for `use_regex: false`. `mapsBytes` writes every byte as its
  /// character; it is false where a byte-level BPE follows, which works on the bytes themselves.
  case byteLevel(addPrefixSpace: Bool, words: Pattern?, mapsBytes: Bool)
  case metaspace(Metaspace)
  case digits(individual: Bool)
  case split(TextFinder, SplitBehavior, invert: Bool)
  /// Runs of word characters, and runs of what is neither word nor white space.
  case whitespace
  case whitespaceSplit
  case bert
  case punctuation(SplitBehavior)
  case sequence([PreTokenizer])

  /// GPT-2's pattern, which ByteLevel implies.
  static let gpt2Words =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// The same, with bytes left as they are, where ByteLevel is the last step; else nil.
  var onBytes: PreTokenizer? {
    switch self {
    case .byteLevel(let addPrefixSpace, let words, _):
      return .byteLevel(addPrefixSpace: addPrefixSpace, words: words, mapsBytes: false)
    case .sequence(var parts):
      guard let last = parts.popLast()?.onBytes, !parts.contains(where: \.isByteLevel) else {
        return nil
      }
      return .sequence(parts + [last])
    default: return nil
    }
  }

  private var isByteLevel: Bool {
    switch self {
    case .byteLevel: true
    case .sequence(let parts): parts.contains(where: \.isByteLevel)
    default: false
    }
  }

  func apply(to text: inout PieceList, scratch: MatchScratch) {
    switch self {
    case .byteLevel(let addPrefixSpace, let words, let mapsBytes):
      if addPrefixSpace { text.prefixSpaces() }
      if let words { text.split(.pattern(words), .isolated, invert: false, scratch: scratch) }
      if mapsBytes { text.mapBytes() }
    case .metaspace(let metaspace): metaspace.apply(to: &text)
    case .digits(let individual):
      text.split(individual ? .isolated : .contiguous) { TextScan.isNumeric($0) }
    case .split(let finder, let behavior, let invert):
      text.split(finder, behavior, invert: invert, scratch: scratch)
    case .whitespace: text.splitWords()
    case .whitespaceSplit: text.split(.removed) { TextScan.isSpace($0) }
    case .bert:
      text.split(.removed) { TextScan.isSpace($0) }
      text.split(.isolated) { LegacyCategories.isPunctuation($0) }
    case .punctuation(let behavior):
      text.split(behavior) { LegacyCategories.isPunctuation($0) }
    case .sequence(let parts):
      for part in parts { part.apply(to: &text, scratch: scratch) }
    }
  }
}

/// SentencePiece's spaces: written as a visible mark that starts a word.
struct Metaspace: Equatable, Sendable {
  var mark: [UInt8] = SentencePieceNormalizer.mark
  var scheme = Scheme.always
  /// Cut before every mark.
  var splits = true

  /// Which piece gets a mark in front: every one, the one at the start of the text, none.
  enum Scheme: String, CaseIterable, Sendable {
    case always, first, never
  }

  func apply(to text: inout PieceList) {
    var out: [UInt8] = []
    out.reserveCapacity(text.bytes.count + text.bytes.count / 2)
    var pieces: [Range<Int>] = []
    pieces.reserveCapacity(splits ? text.bytes.count / 5 + text.pieces.count : text.pieces.count)
    text.bytes.withUnsafeBufferPointer { bytes in
      for (i, piece) in text.pieces.enumerated() {
        var start = out.count
        let startsMarked = bytes[piece.lowerBound] == 0x20 || isMark(bytes, piece.lowerBound)
        let isWanted = scheme == .always || scheme == .first && i == 0 && text.startsText
        if isWanted, !startsMarked { out.append(contentsOf: mark) }
        for at in piece {
          let isMark = bytes[at] == 0x20 || bytes[at] == mark[0] && isMark(bytes, at)
          if isMark, splits, out.count > start {
            pieces.append(start..<out.count)
            start = out.count
          }
          if bytes[at] == 0x20 {
            out.append(contentsOf: mark)
          } else {
            out.append(bytes[at])
          }
        }
        if out.count > start { pieces.append(start..<out.count) }
      }
    }
    text.bytes = out
    text.pieces = pieces
  }

  private func isMark(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Bool {
    guard at + mark.count <= bytes.count else { return false }
    for i in mark.indices where bytes[at + i] != mark[i] { return false }
    return true
  }
}
