/// SentencePiece's own normalizer, with its rule of the longest match.
///
/// Source: `normalizer.cc` of SentencePiece; Kudo and Richardson 2018, arXiv:1808.06226.
struct SentencePieceNormalizer: Sendable {
  var map: CharacterMap?
  var addsDummyPrefix = true
  var removesExtraSpaces = false
  var escapesSpaces = true
  /// The dummy goes to the end of the text (`treat_whitespace_as_suffix`).
  var dummyIsSuffix = false
  /// A stretch after a special token gets the prefix, too, as in Llama's first tokenizer.
  var prefixesEveryStretch = true
  /// Symbols that pass unchanged: user-defined pieces.
  var symbols: TokenTrie?

  static let mark: [UInt8] = [0xE2, 0x96, 0x81]

  func apply(to text: inout [UInt8], startsText: Bool) {
    let space = escapesSpaces ? Self.mark : [0x20]
    let dummy = addsDummyPrefix && (startsText || prefixesEveryStretch) ? space : []
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 2)
    text.withUnsafeBufferPointer { bytes in
      var at = 0
      if removesExtraSpaces {
        while at < bytes.count, isSpace(bytes, &at) {}
      }
      // Of a text of spaces alone nothing is left.
      if at == bytes.count { return }
      if !dummyIsSuffix { out += dummy }
      rewrite(UnsafeBufferPointer(rebasing: bytes[at...]), space, &out)
      if removesExtraSpaces {
        while out.suffix(space.count).elementsEqual(space) { out.removeLast(space.count) }
      }
      if dummyIsSuffix { out += dummy }
    }
    text = out
  }

  /// Moves `at` behind a character, or a rule's key, that stands for one space.
  private func isSpace(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Bool {
    let rest = UnsafeBufferPointer(rebasing: bytes[at...])
    if symbol(rest) > 0 { return false }
    if let map, let match = map.match(rest, longest: true) {
      guard map.replacement(match).elementsEqual([0x20]) else { return false }
      at += match.length
      return true
    }
    guard rest[0] == 0x20 else { return false }
    at += 1
    return true
  }

  /// Bytes of the longest symbol that begins the text; 0 where none does.
  private func symbol(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var length = 0
    symbols?.forEachToken(in: text, from: 0) { end, _ in length = end }
    return length
  }

  private func rewrite(
    _ bytes: UnsafeBufferPointer<UInt8>, _ space: [UInt8], _ out: inout [UInt8]
  ) {
    var skipsSpaces = removesExtraSpaces
    var at = 0
    while at < bytes.count {
      let rest = UnsafeBufferPointer(rebasing: bytes[at...])
      let length = symbol(rest)
      if length > 0 {
        write(Array(rest[..<length])[...], space, &skipsSpaces, &out)
        at += length
      } else if let map, let match = map.match(rest, longest: true) {
        write(map.replacement(match), space, &skipsSpaces, &out)
        at += match.length
      } else if bytes[at] == 0x20 {
        if !skipsSpaces { out.append(contentsOf: space) }
        skipsSpaces = removesExtraSpaces
        at += 1
      } else {
        let width = min(TextScan.width(bytes[at]), rest.count)
        for i in at..<(at + width) { out.append(bytes[i]) }
        skipsSpaces = false
        at += width
      }
    }
  }

  private func write(
    _ bytes: ArraySlice<UInt8>, _ space: [UInt8], _ skipsSpaces: inout Bool, _ out: inout [UInt8]
  ) {
    let kept = skipsSpaces ? bytes.drop { $0 == 0x20 } : bytes
    guard let last = kept.last else { return }
    for byte in kept {
      if byte == 0x20 {
        out.append(contentsOf: space)
      } else {
        out.append(byte)
      }
    }
    skipsSpaces = removesExtraSpaces && last == 0x20
  }
}
