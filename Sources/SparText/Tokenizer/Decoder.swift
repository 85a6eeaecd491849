/// A step on the way from tokens to text. Source: Hugging Face tokenizers, `decoders`.
///
/// A step reads and writes the list of token texts; at the end the list is joined.
enum DecoderStep: Equatable, Sendable {
  /// Characters of GPT-2's alphabet are bytes; the list becomes one text.
  case byteLevel
  case metaspace(mark: [UInt8], dropsFirst: Bool)
  /// "<0x41>" is a byte; runs that are not UTF-8 give one U+FFFD a byte.
  case byteFallback
  case fuse
  /// Takes `content` from the ends of every text, so many times at most.
  case strip(content: [UInt8], start: Int, stop: Int)
  case replace(from: Source, to: [UInt8])
  /// Words are joined by spaces, pieces with the prefix are not.
  case wordPiece(prefix: [UInt8], cleansUp: Bool)
  /// The suffix ends a word.
  case bytePairSuffix([UInt8])

  /// What a Replace step looks for; patterns compare by their source.
  struct Source: Equatable, Sendable {
    var finder: TextFinder
    var spelling: String

    static func == (a: Source, b: Source) -> Bool { a.spelling == b.spelling }
  }

  func apply(to texts: inout [[UInt8]], scratch: MatchScratch) {
    switch self {
    case .byteLevel:
      var joined: [UInt8] = []
      for text in texts { joined += ByteAlphabet.decode(String(decoding: text, as: UTF8.self)) }
      texts = [Array(String(decoding: joined, as: UTF8.self).utf8)]
    case .metaspace(let mark, let dropsFirst):
      for i in texts.indices {
        texts[i] = Self.replaced(
          texts[i], .literal(mark), i == 0 && dropsFirst ? [] : [0x20], scratch)
      }
    case .byteFallback: Self.fallBack(&texts)
    case .fuse: texts = [Array(texts.joined())]
    case .strip(let content, let start, let stop):
      for i in texts.indices { Self.strip(&texts[i], content, start, stop) }
    case .replace(let source, let content):
      for i in texts.indices { texts[i] = Self.replaced(texts[i], source.finder, content, scratch) }
    case .wordPiece(let prefix, let cleansUp):
      for i in texts.indices {
        if i > 0 {
          if texts[i].starts(with: prefix) {
            texts[i].removeFirst(prefix.count)
          } else {
            texts[i].insert(0x20, at: 0)
          }
        }
        if cleansUp { Self.cleanUp(&texts[i], scratch) }
      }
    case .bytePairSuffix(let suffix):
      for i in texts.indices {
        let content: [UInt8] = i == texts.count - 1 ? [] : [0x20]
        texts[i] = Self.replaced(texts[i], .literal(suffix), content, scratch)
      }
    }
  }

  private static func replaced(
    _ text: [UInt8], _ finder: TextFinder, _ content: [UInt8], _ scratch: MatchScratch
  ) -> [UInt8] {
    var out: [UInt8] = []
    text.withUnsafeBufferPointer { bytes in
      var done = 0
      finder.forEachMatch(in: bytes, scratch: scratch) { match in
        out.append(contentsOf: bytes[done..<match.lowerBound])
        out.append(contentsOf: content)
        done = match.upperBound
      }
      out.append(contentsOf: bytes[done...])
    }
    return out
  }

  private static func fallBack(_ texts: inout [[UInt8]]) {
    var out: [[UInt8]] = []
    var bytes: [UInt8] = []
    func flush() {
      if bytes.isEmpty { return }
      if String(validating: bytes, as: UTF8.self) != nil {
        out.append(bytes)
      } else {
        out += repeatElement([0xEF, 0xBF, 0xBD], count: bytes.count)
      }
      bytes = []
    }
    for text in texts {
      if let byte = ByteTokens.byte(text) {
        bytes.append(byte)
      } else {
        flush()
        out.append(text)
      }
    }
    flush()
    texts = out
  }

  private static func strip(_ text: inout [UInt8], _ content: [UInt8], _ start: Int, _ stop: Int) {
    var range = text[...]
    for _ in 0..<start where range.starts(with: content) { range = range.dropFirst(content.count) }
    for _ in 0..<stop where range.suffix(content.count).elementsEqual(content) {
      range = range.dropLast(content.count)
    }
    if range.count < text.count { text = Array(range) }
  }

  /// English typography, in this order.
  private static let cleanUps: [([UInt8], [UInt8])] = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
    (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.utf8), Array($1.utf8)) }

  private static func cleanUp(_ text: inout [UInt8], _ scratch: MatchScratch) {
    for (from, to) in cleanUps { text = replaced(text, .literal(from), to, scratch) }
  }
}
