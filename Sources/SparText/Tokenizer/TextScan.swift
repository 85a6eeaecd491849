/// Reads single characters out of UTF-8, and classes them as Hugging Face's Rust code does.
enum TextScan {
  /// The scalar at `start` of well-formed UTF-8 and how many bytes it takes.
  @inline(__always)
  static func decode(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int
  ) -> (scalar: Unicode.Scalar, width: Int) {
    let lead = text[start]
    if lead < 0x80 { return (Unicode.Scalar(lead), 1) }
    let width = min(self.width(lead), text.count - start)
    var value = UInt32(lead) & (0x7F >> UInt32(width))
    for i in 1..<max(1, width) { value = value << 6 | UInt32(text[start + i] & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", width)
  }

  /// Bytes of a character by its first byte.
  @inline(__always)
  static func width(_ lead: UInt8) -> Int {
    lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  }

  static func scalar(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Unicode.Scalar {
    decode(text, start).scalar
  }

  static func scalar(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> Unicode.Scalar {
    scalar(text, at: start(text, before: end))
  }

  static func start(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
    var start = end - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }

  static func append(_ scalar: Unicode.Scalar, to out: inout [UInt8]) {
    if scalar.value < 0x80 {
      out.append(UInt8(scalar.value))
    } else {
      out.append(contentsOf: String(scalar).utf8)
    }
  }

  /// White space that touches `end` from the left begins at the result.
  static func spaceStart(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
    var at = end
    while at > 0, isSpace(scalar(text, before: at)) { at = start(text, before: at) }
    return at
  }

  static func spaceEnd(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var at = start
    while at < text.count {
      let (scalar, width) = decode(text, at)
      guard isSpace(scalar) else { break }
      at += width
    }
    return at
  }

  // MARK: Classes

  /// `char::is_whitespace`, and `\s`.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 { return scalar.value == 0x20 || (9...13).contains(scalar.value) }
    return scalar.properties.isWhitespace
  }

  /// `\w` of Rust's regex crate.
  static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 {
      switch UInt8(scalar.value) {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        return true
      default: return false
      }
    }
    if !UnicodeAge.isOld(scalar), UnicodeAge.of(scalar) > UnicodeAge.expressions { return false }
    if scalar.properties.isAlphabetic || scalar.properties.isJoinControl { return true }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
      return true
    default: return false
    }
  }

  /// `char::is_numeric`: Nd, Nl, No.
  static func isNumeric(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 { return (0x30...0x39).contains(scalar.value) }
    switch scalar.properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }
}
