import Foundation

/// A strict RFC 8259 parser over UTF-8 bytes: linear time, nesting at most `maximumDepth`.
public struct JSONParser {
  /// Deeper than any real file, shallow enough for a thread's stack.
  public static let maximumDepth = 128

  private let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0

  /// NaN, Infinity and -Infinity, which JSON lacks and Python writes, are numbers.
  private let takesNotFinite: Bool
  /// Integers beyond 64 bits become floating-point numbers, unless they are refused.
  private var refusesLargeIntegers = false

  public static func parse(
    _ data: Data, refusingLargeIntegers: Bool = false
  ) throws(JSONSyntaxError) -> JSONNode {
    let outcome: Result<JSONNode, JSONSyntaxError> = data.withUnsafeBytes { raw in
      var parser = JSONParser(bytes: raw.bindMemory(to: UInt8.self), takesNotFinite: false)
      parser.refusesLargeIntegers = refusingLargeIntegers
      do throws(JSONSyntaxError) {
        return .success(try parser.document())
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  /// The same for bytes that are lent; `takesNotFinite` reads NaN and Infinity as Python does.
  public static func parse(
    _ bytes: UnsafeBufferPointer<UInt8>, takesNotFinite: Bool = false
  ) throws(JSONSyntaxError) -> JSONNode {
    var parser = JSONParser(bytes: bytes, takesNotFinite: takesNotFinite)
    return try parser.document()
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, takesNotFinite: Bool) {
    self.bytes = bytes
    self.takesNotFinite = takesNotFinite
  }

  private mutating func document() throws(JSONSyntaxError) -> JSONNode {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    let value = try value(depth: 0)
    skipSpace()
    guard at == bytes.count else { throw failure("text after the end of the value") }
    return value
  }

  private func failure(_ what: String) -> JSONSyntaxError {
    JSONSyntaxError(what: at >= bytes.count ? "the text ends too early" : what, offset: at)
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at += 1
      default: return
      }
    }
  }

  private func peek() -> UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    guard depth < Self.maximumDepth else {
      throw failure("more than \(Self.maximumDepth) nested values")
    }
    skipSpace()
    switch peek() {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "N") where takesNotFinite: return try word("NaN", .number(.nan))
    case UInt8(ascii: "I") where takesNotFinite: return try word("Infinity", .number(.infinity))
    case UInt8(ascii: "-") where takesNotFinite && at + 1 < bytes.count && bytes[at + 1] == 0x49:
      return try word("-Infinity", .number(-.infinity))
    default: return try number()
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSONNode) throws(JSONSyntaxError)
    -> JSONNode
  {
    let length = text.utf8CodeUnitCount
    for i in 0..<length {
      guard at + i < bytes.count, bytes[at + i] == text.utf8Start[i] else {
        at = min(at + i, bytes.count)
        throw failure("an unknown word")
      }
    }
    at += length
    return value
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    at += 1
    var members: [JSONMember] = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      guard peek() == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
      let key = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw failure("expected ':'") }
      members.append(JSONMember(key: key, value: try value(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { throw failure("expected ',' or '}'") }
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    at += 1
    var elements: [JSONNode] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "]")) else { throw failure("expected ',' or ']'") }
      return .array(elements)
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONNode {
    let start = at
    _ = take(UInt8(ascii: "-"))
    guard let first = peek(), isDigit(first) else { throw failure("expected a value") }
    skipDigits()
    if first == UInt8(ascii: "0"), at - start > (bytes[start] == first ? 1 : 2) {
      throw failure("a number with a leading zero")
    }
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard let digit = peek(), isDigit(digit) else { throw failure("expected a digit") }
      skipDigits()
    }
    if let mark = peek(), mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
      isInteger = false
      at += 1
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard let digit = peek(), isDigit(digit) else { throw failure("expected a digit") }
      skipDigits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    if isInteger, refusesLargeIntegers { throw failure("an integer beyond 64 bits") }
    guard let value = Double(text) else { throw failure("a number out of range") }
    return .number(value)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private mutating func skipDigits() {
    while let byte = peek(), isDigit(byte) { at += 1 }
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    at += 1
    let start = at
    while let byte = peek() {
      if byte == UInt8(ascii: "\"") {
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        at += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard byte >= 0x20 else { throw failure("a control character in a string") }
      at += 1
    }
    throw failure("an unterminated string")
  }

  /// The general case, from `start` (behind the quote) with `at` on the first backslash.
  private mutating func escapedString(from start: Int) throws(JSONSyntaxError) -> String {
    var text = Array(bytes[start..<at])
    while let byte = peek() {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: try escape().utf8)
      case 0..<0x20: throw failure("a control character in a string")
      default: text.append(byte)
      }
    }
    throw failure("an unterminated string")
  }

  private mutating func escape() throws(JSONSyntaxError) -> String {
    guard let mark = peek() else { throw failure("an unterminated escape") }
    at += 1
    switch mark {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return String(Unicode.Scalar(mark))
    case UInt8(ascii: "u"): return String(try unicodeEscape())
    default: throw failure("an unknown escape")
    }
  }

  /// \uXXXX, or a surrogate pair of two; a lone surrogate becomes U+FFFD.
  private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let high = try hexadecimal()
    if let scalar = Unicode.Scalar(high) { return scalar }
    let mark = at
    if high < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
      let low = try hexadecimal()
      if (0xDC00..<0xE000).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
      {
        return scalar
      }
    }
    at = mark
    return "\u{FFFD}"
  }

  private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }
}
