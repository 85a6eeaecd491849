/// Recursive descent over the bytes of a JSON text; depth is bounded, so that no text exhausts the
/// stack.
struct JSONReader {
  private let bytes: [UInt8]
  private var at = 0
  private var depth = 0

  private static let maxDepth = 256

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func whole() throws(JSONTextError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard at == bytes.count else { throw error("text after the value") }
    return value
  }

  private func error(_ what: String) -> JSONTextError { JSONTextError(what: what, offset: at) }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    at += 1
    return true
  }

  private mutating func value() throws(JSONTextError) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw error("the text ends where a value must be")
    default: return .number(try number())
    }
  }

  private mutating func word(
    _ word: String, _ value: JSONValue
  ) throws(JSONTextError) -> JSONValue {
    for byte in word.utf8 where !take(byte) { throw error("no JSON value") }
    return value
  }

  private mutating func nested<T>(
    _ body: (inout JSONReader) throws(JSONTextError) -> T
  ) throws(JSONTextError) -> T {
    guard depth < Self.maxDepth else { throw error("more than \(Self.maxDepth) levels") }
    depth += 1
    let result = try body(&self)
    depth -= 1
    return result
  }

  private mutating func object() throws(JSONTextError) -> JSONValue {
    try nested { (reader) throws(JSONTextError) in
      reader.at += 1
      var members: [(name: String, value: JSONValue)] = []
      reader.skipSpace()
      if reader.take(UInt8(ascii: "}")) { return .object(members) }
      repeat {
        reader.skipSpace()
        guard reader.next == UInt8(ascii: "\"") else { throw reader.error("no name of a member") }
        let name = try reader.string()
        reader.skipSpace()
        guard reader.take(UInt8(ascii: ":")) else { throw reader.error("no colon after a name") }
        members.append((name, try reader.value()))
        reader.skipSpace()
      } while reader.take(UInt8(ascii: ","))
      guard reader.take(UInt8(ascii: "}")) else { throw reader.error("the object does not end") }
      return .object(members)
    }
  }

  private mutating func array() throws(JSONTextError) -> JSONValue {
    try nested { (reader) throws(JSONTextError) in
      reader.at += 1
      var values: [JSONValue] = []
      reader.skipSpace()
      if reader.take(UInt8(ascii: "]")) { return .array(values) }
      repeat {
        values.append(try reader.value())
        reader.skipSpace()
      } while reader.take(UInt8(ascii: ","))
      guard reader.take(UInt8(ascii: "]")) else { throw reader.error("the array does not end") }
      return .array(values)
    }
  }

  private mutating func digits() throws(JSONTextError) {
    let first = at
    while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { at += 1 }
    guard at > first else { throw error("no digit where one must be") }
  }

  private mutating func number() throws(JSONTextError) -> Double {
    let first = at
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    guard let value = Double(String(decoding: bytes[first..<at], as: UTF8.self)) else {
      throw error("no number")
    }
    return value
  }

  private mutating func string() throws(JSONTextError) -> String {
    at += 1
    var text: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape()
      case 0..<0x20: throw error("a control character in a string")
      default: text.append(byte)
      }
    }
    throw error("the string does not end")
  }

  private mutating func escape() throws(JSONTextError) -> [UInt8] {
    guard let byte = next else { throw error("the string does not end") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return Array(String(try scalar()).utf8)
    default: throw error("an unknown escape")
    }
  }

  private mutating func unit() throws(JSONTextError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw error("no four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }

  /// A lone half of a surrogate pair becomes U+FFFD.
  private mutating func scalar() throws(JSONTextError) -> Character {
    let high = try unit()
    if 0xD800..<0xDC00 ~= high, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
      bytes[at + 1] == UInt8(ascii: "u")
    {
      let before = at
      at += 2
      let low = try unit()
      if 0xDC00..<0xE000 ~= low,
        let joined = UnicodeScalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
      {
        return Character(joined)
      }
      at = before
    }
    return Character(UnicodeScalar(high) ?? "\u{FFFD}")
  }
}
