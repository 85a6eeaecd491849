/// What happens to text before it is cut. Source: Hugging Face tokenizers, `normalizers`.
enum Normalizer: Sendable {
  case form(NormalForm)
  case lowercase
  case strip(left: Bool, right: Bool)
  case stripAccents
  case bert(BertNormalizer)
  case replace(TextFinder, content: [UInt8])
  case prepend([UInt8])
  case nmt
  case characterMap(CharacterMap)
  /// The whole of SentencePiece's normalizer; only `.model` and GGUF files have it.
  case sentencePiece(SentencePieceNormalizer)

  func apply(to text: inout [UInt8], startsText: Bool, scratch: MatchScratch) {
    switch self {
    case .form(let form): form.apply(to: &text)
    case .lowercase: Self.lowercase(&text)
    case .strip(let left, let right): Self.strip(&text, left: left, right: right)
    case .stripAccents:
      text = Self.mapScalars(text, from: 0x300) { scalar, out in
        if !LegacyCategories.isCombining(scalar) { TextScan.append(scalar, to: &out) }
      }
    case .bert(let bert): bert.apply(to: &text)
    case .replace(let finder, let content):
      Self.replace(&text, finder, content, scratch: scratch)
    case .prepend(let prefix): if !text.isEmpty { text.insert(contentsOf: prefix, at: 0) }
    case .nmt: text = Self.mapScalars(text, from: 0) { Self.nmt($0, to: &$1) }
    case .characterMap(let map): map.apply(to: &text)
    case .sentencePiece(let normalizer): normalizer.apply(to: &text, startsText: startsText)
    }
  }

  /// Rewrites text scalar by scalar; bytes below `first` (at most 0x80) are copied as they are.
  static func mapScalars(
    _ text: [UInt8], from first: UInt32, _ write: (Unicode.Scalar, inout [UInt8]) -> Void
  ) -> [UInt8] {
    let plain = UInt8(min(first, 0x80))
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    text.withUnsafeBufferPointer { bytes in
      var at = 0
      while at < bytes.count {
        if bytes[at] < plain {
          out.append(bytes[at])
          at += 1
          continue
        }
        let (scalar, width) = TextScan.decode(bytes, at)
        write(scalar, &out)
        at += width
      }
    }
    return out
  }

  /// Every character by its own full mapping, without regard to its neighbours.
  static func lowercase(_ text: inout [UInt8]) {
    var isASCII = true
    for i in text.indices {
      let byte = text[i]
      if byte >= 0x80 {
        isASCII = false
      } else if byte >= 0x41, byte <= 0x5A {
        text[i] = byte | 0x20
      }
    }
    if isASCII { return }
    text = mapScalars(text, from: 0x80) { scalar, out in
      if scalar.properties.changesWhenLowercased {
        out.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
      } else {
        TextScan.append(scalar, to: &out)
      }
    }
  }

  private static func strip(_ text: inout [UInt8], left: Bool, right: Bool) {
    let range = text.withUnsafeBufferPointer { bytes -> Range<Int> in
      let start = left ? TextScan.spaceEnd(bytes, from: 0) : 0
      let end = right ? TextScan.spaceStart(bytes, before: bytes.count) : bytes.count
      return start..<max(start, end)
    }
    if range.count < text.count { text = Array(text[range]) }
  }

  private static func replace(
    _ text: inout [UInt8], _ finder: TextFinder, _ content: [UInt8], scratch: MatchScratch
  ) {
    var out: [UInt8] = []
    var done = 0
    text.withUnsafeBufferPointer { bytes in
      finder.forEachMatch(in: bytes, scratch: scratch) { match in
        if out.isEmpty { out.reserveCapacity(bytes.count + bytes.count / 2) }
        out.append(contentsOf: bytes[done..<match.lowerBound])
        out.append(contentsOf: content)
        done = match.upperBound
      }
      if done > 0 { out.append(contentsOf: bytes[done...]) }
    }
    if done > 0 { text = out }
  }

  /// SentencePiece's "nmt" rules: controls vanish, exotic blanks become spaces.
  private static func nmt(_ scalar: Unicode.Scalar, to out: inout [UInt8]) {
    switch scalar.value {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: return
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
      out.append(0x20)
    default: TextScan.append(scalar, to: &out)
    }
  }
}
