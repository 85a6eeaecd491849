/// Values as text: Python's `str`, `repr` and `json.dumps`.
extension JinjaValue {
  /// `str(x)`; undefined prints as nothing.
  var text: String {
    switch self {
    case .undefined: ""
    case .string(let text): text
    default: representation
    }
  }

  /// `repr(x)`.
  var representation: String {
    var out: [UInt8] = []
    represent(into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  private func represent(into out: inout [UInt8]) {
    switch self {
    case .undefined: out.append(contentsOf: "Undefined".utf8)
    case .none: out.append(contentsOf: "None".utf8)
    case .boolean(let flag): out.append(contentsOf: (flag ? "True" : "False").utf8)
    case .integer(let value): out.append(contentsOf: String(value).utf8)
    case .number(let value): out.append(contentsOf: String(value).utf8)
    case .string(let text): Self.quote(text, into: &out)
    case .list(let elements): Self.list("[", elements, "]", into: &out)
    case .tuple(let elements):
      Self.list("(", elements, elements.count == 1 ? ",)" : ")", into: &out)
    case .dictionary(let members):
      out.append(UInt8(ascii: "{"))
      for i in 0..<members.count {
        if i > 0 { out.append(contentsOf: ", ".utf8) }
        members.keys[i].represent(into: &out)
        out.append(contentsOf: ": ".utf8)
        members.values[i].represent(into: &out)
      }
      out.append(UInt8(ascii: "}"))
    case .reference: out.append(contentsOf: "<\(typeName) object>".utf8)
    case .method(_, let name): out.append(contentsOf: "<built-in method \(name)>".utf8)
    }
  }

  private static func list(
    _ open: String, _ elements: [JinjaValue], _ close: String, into out: inout [UInt8]
  ) {
    out.append(contentsOf: open.utf8)
    for (i, element) in elements.enumerated() {
      if i > 0 { out.append(contentsOf: ", ".utf8) }
      element.represent(into: &out)
    }
    out.append(contentsOf: close.utf8)
  }

  /// Single quotes, unless the text has those and no double ones.
  private static func quote(_ text: String, into out: inout [UInt8]) {
    let isDouble = text.utf8.contains(UInt8(ascii: "'")) && !text.utf8.contains(UInt8(ascii: "\""))
    let quote = UInt8(ascii: isDouble ? "\"" : "'")
    out.append(quote)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": out.append(contentsOf: #"\n"#.utf8)
      case "\r": out.append(contentsOf: #"\r"#.utf8)
      case "\t": out.append(contentsOf: #"\t"#.utf8)
      case "\\": out.append(contentsOf: #"\\"#.utf8)
      case _ where scalar.isASCII && UInt8(ascii: scalar) == quote:
        out.append(contentsOf: [UInt8(ascii: "\\"), quote])
      case _ where !isPrintable(scalar):
        let value = scalar.value
        let (mark, width) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
        let digits = String(value, radix: 16)
        let zeros = String(repeating: "0", count: width - digits.utf8.count)
        out.append(contentsOf: "\\\(mark)\(zeros)\(digits)".utf8)
      default: out.append(contentsOf: String(scalar).utf8)
      }
    }
    out.append(quote)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }
}

/// `json.dumps` with its options.
struct JinjaJSON {
  /// nil = one line.
  var indent: Int?
  var itemSeparator: String
  var keySeparator = ": "
  var sortsKeys = false
  var escapesNonASCII = false

  init(indent: Int?) {
    self.indent = indent
    itemSeparator = indent == nil ? ", " : ","
  }

  func text(_ value: JinjaValue) throws -> String {
    var out: [UInt8] = []
    try append(value, level: 0, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  private func append(_ value: JinjaValue, level: Int, to out: inout [UInt8]) throws {
    switch value {
    case .none: out.append(contentsOf: "null".utf8)
    case .boolean(let flag): out.append(contentsOf: (flag ? "true" : "false").utf8)
    case .integer(let value): out.append(contentsOf: String(value).utf8)
    case .number(let value): out.append(contentsOf: Self.spelling(value).utf8)
    case .string(let text): append(text, to: &out)
    case .list(let elements), .tuple(let elements):
      out.append(UInt8(ascii: "["))
      for (i, element) in elements.enumerated() {
        separate(i, level, &out)
        try append(element, level: level + 1, to: &out)
      }
      if !elements.isEmpty { newLine(level, &out) }
      out.append(UInt8(ascii: "]"))
    case .dictionary(let members):
      var order = Array(0..<members.count)
      if sortsKeys {
        order.sort {
          members.keys[$0].text.utf8.lexicographicallyPrecedes(members.keys[$1].text.utf8)
        }
      }
      out.append(UInt8(ascii: "{"))
      for (i, place) in order.enumerated() {
        separate(i, level, &out)
        try append(key(members.keys[place]), to: &out)
        out.append(contentsOf: keySeparator.utf8)
        try append(members.values[place], level: level + 1, to: &out)
      }
      if members.count > 0 { newLine(level, &out) }
      out.append(UInt8(ascii: "}"))
    case .undefined, .reference, .method:
      throw JinjaFault.type("Object of type \(value.typeName) is not JSON serializable")
    }
  }

  private func key(_ value: JinjaValue) throws -> String {
    switch value {
    case .string(let text): text
    case .none: "null"
    case .boolean(let flag): flag ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): Self.spelling(value)
    default:
      throw JinjaFault.type(
        "keys must be str, int, float, bool or None, not \(value.typeName)")
    }
  }

  private static func spelling(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "Infinity" : "-Infinity" }
    return String(value)
  }

  private func append(_ text: String, to out: inout [UInt8]) {
    guard escapesNonASCII else { return JSONWriter.append(text, to: &out) }
    var quoted: [UInt8] = []
    JSONWriter.append(text, to: &quoted)
    for unit in String(decoding: quoted, as: UTF8.self).utf16 {
      if unit < 0x7F {
        out.append(UInt8(unit))
      } else {
        let digits = String(unit, radix: 16)
        out.append(
          contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8)
      }
    }
  }

  private func separate(_ index: Int, _ level: Int, _ out: inout [UInt8]) {
    if index > 0 { out.append(contentsOf: itemSeparator.utf8) }
    newLine(level + 1, &out)
  }

  private func newLine(_ level: Int, _ out: inout [UInt8]) {
    guard let indent else { return }
    out.append(0x0A)
    out.append(contentsOf: repeatElement(0x20, count: indent * level))
  }
}
