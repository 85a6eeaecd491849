/// Numbers and strings inside of tags.
extension JinjaLexer {
  /// Python's spellings: 12, 1_000, 0x1F, 0b101, 0o17, 1.5, 2e-3. A 0 does not start a decimal.
  mutating func number() throws(JinjaSyntaxError) {
    if let radix = prefixedRadix() {
      let digits = run(from: at + 2) { Character(Unicode.Scalar($0)).isHexDigit && radix.holds($0) }
      if digits > at + 2 {
        return try finish(digits, radix: radix.value, dropping: 2)
      }
    }
    let whole = run(from: at, isDigit)
    var end = whole
    var isFloat = false
    if byte(end) == UInt8(ascii: "."), isDigit(byte(end + 1)), !isBehindDot {
      isFloat = true
      end = run(from: end + 1, isDigit)
    }
    if byte(end) | 0x20 == UInt8(ascii: "e"), !isBehindDot {
      let sign = byte(end + 1) == UInt8(ascii: "+") || byte(end + 1) == UInt8(ascii: "-")
      let digits = end + (sign ? 2 : 1)
      if isDigit(byte(digits)) {
        isFloat = true
        end = run(from: digits, isDigit)
      }
    }
    if isFloat {
      guard let value = Double(spelling(at..<end)) else { throw failure("an unreadable number") }
      add(.number(value))
      return move(to: end)
    }
    if byte(at) == 0x30 { end = run(from: at) { $0 == 0x30 } }
    try finish(end, radix: 10, dropping: 0)
  }

  private func byte(_ place: Int) -> UInt8 { place < text.count ? text[place] : 0 }

  private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  /// `x.0.5` has no number 0.5.
  private var isBehindDot: Bool { at > 0 && text[at - 1] == UInt8(ascii: ".") }

  private struct Radix {
    var value: Int
    func holds(_ byte: UInt8) -> Bool {
      Character(Unicode.Scalar(byte)).hexDigitValue.map { $0 < value } ?? false
    }
  }

  private func prefixedRadix() -> Radix? {
    guard byte(at) == 0x30 else { return nil }
    switch byte(at + 1) | 0x20 {
    case UInt8(ascii: "x"): return Radix(value: 16)
    case UInt8(ascii: "o"): return Radix(value: 8)
    case UInt8(ascii: "b"): return Radix(value: 2)
    default: return nil
    }
  }

  /// The end of digits from `start`, single underscores between them.
  private func run(from start: Int, _ isPart: (UInt8) -> Bool) -> Int {
    var place = start
    while isPart(byte(place))
      || (byte(place) == UInt8(ascii: "_") && place > at && isPart(byte(place + 1)))
    {
      place += 1
    }
    return place
  }

  private func spelling(_ range: Range<Int>) -> String {
    String(decoding: text[range].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
  }

  private mutating func finish(
    _ end: Int, radix: Int, dropping prefix: Int
  ) throws(JinjaSyntaxError) {
    let digits = spelling(at + prefix..<end)
    guard let value = Int(digits, radix: radix) else {
      throw failure("the integer \(digits) is beyond 64 bits")
    }
    add(.integer(value))
    move(to: end)
  }

  mutating func string(quote: UInt8) throws(JinjaSyntaxError) {
    let opened = line
    var out: [UInt8] = []
    var place = at + 1
    while place < text.count, text[place] != quote {
      if text[place] == UInt8(ascii: "\\"), place + 1 < text.count {
        place = try escape(place + 1, into: &out)
      } else {
        out.append(text[place])
        place += 1
      }
    }
    guard place < text.count else { throw failure("an unterminated string", line: opened) }
    add(.string(String(decoding: out, as: UTF8.self)))
    move(to: place + 1)
  }

  /// Python's escapes; an unknown one stays as it is written. Returns the place behind it.
  private func escape(_ place: Int, into out: inout [UInt8]) throws(JinjaSyntaxError) -> Int {
    let simple: [(StaticString, UInt8)] = [
      ("n", 0x0A), ("t", 0x09), ("r", 0x0D), ("\\", 0x5C), ("'", 0x27), ("\"", 0x22), ("a", 0x07),
      ("b", 0x08), ("f", 0x0C), ("v", 0x0B),
    ]
    for (mark, byte) in simple where text[place] == mark.utf8Start[0] {
      out.append(byte)
      return place + 1
    }
    switch text[place] {
    case 0x0A: return place + 1
    case UInt8(ascii: "x"): return try coded(place + 1, digits: 2, into: &out)
    case UInt8(ascii: "u"): return try coded(place + 1, digits: 4, into: &out)
    case UInt8(ascii: "U"): return try coded(place + 1, digits: 8, into: &out)
    case UInt8(ascii: "N"):
      throw failure("the escape \\N{…} is not supported: write \\u and the number")
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      var value: UInt32 = 0
      var end = place
      while end < text.count, end < place + 3, (0x30...0x37).contains(text[end]) {
        value = value * 8 + UInt32(text[end] - 0x30)
        end += 1
      }
      out.append(contentsOf: String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
      return end
    default:
      out.append(UInt8(ascii: "\\"))
      return place
    }
  }

  private func coded(
    _ place: Int, digits: Int, into out: inout [UInt8]
  ) throws(JinjaSyntaxError) -> Int {
    let end = min(place + digits, text.count)
    let hexadecimal = text[place..<end].allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    let spelled = String(decoding: text[place..<end], as: UTF8.self)
    guard hexadecimal, end == place + digits, let value = UInt32(spelled, radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw failure("the escape \\…\(spelled) names no character") }
    out.append(contentsOf: String(scalar).utf8)
    return end
  }
}
