/// `json.dumps` with its options.
struct JinjaJSON {
  private let interpreter: JinjaInterpreter
  /// nil = one line.
  var indent: String?
  var itemSeparator = ", "
  var keySeparator = ": "
  var sortsKeys = false
  var escapesNonASCII = false

  init(_ interpreter: JinjaInterpreter) {
    self.interpreter = interpreter
  }

  func text(_ value: JinjaValue) throws -> String {
    var out: [UInt8] = []
    try append(value, level: 0, to: &out)
    try interpreter.make(bytes: out.count)
    return String(decoding: out, as: UTF8.self)
  }

  private func append(_ value: JinjaValue, level: Int, to out: inout [UInt8]) throws {
    try interpreter.spend()
    guard out.count <= interpreter.limits.outputBytes else {
      return try interpreter.make(bytes: out.count)
    }
    switch value {
    case .none: out.append(contentsOf: "null".utf8)
    case .boolean(let flag): out.append(contentsOf: (flag ? "true" : "false").utf8)
    case .integer(let value): out.append(contentsOf: String(value).utf8)
    case .number(let value): out.append(contentsOf: Self.spelling(value).utf8)
    case .string(let text), .markup(let text): try append(text, to: &out)
    case .list(let list), .tuple(let list):
      out.append(UInt8(ascii: "["))
      for (i, element) in list.elements.enumerated() {
        separate(i, level, &out)
        try append(element, level: level + 1, to: &out)
      }
      if !list.elements.isEmpty { newLine(level, &out) }
      out.append(UInt8(ascii: "]"))
    case .dictionary(let members): try append(members, level: level, to: &out)
    case .undefined, .reference, .method, .range, .view:
      throw JinjaFault.type(
        "Object of type \(interpreter.typeName(value)) is not JSON serializable")
    }
  }

  private func append(_ members: JinjaDictionary, level: Int, to out: inout [UInt8]) throws {
    var order = Array(0..<members.count)
    if sortsKeys {
      order = try PythonSort.sorted(order) { a, b in
        try interpreter.isOrdered(members.keys[a], "<", members.keys[b])
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
  }

  private func key(_ value: JinjaValue) throws -> String {
    switch value {
    case .string(let text), .markup(let text): text
    case .none: "null"
    case .boolean(let flag): flag ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): Self.spelling(value)
    default:
      throw JinjaFault.type(
        "keys must be str, int, float, bool or None, not \(interpreter.typeName(value))")
    }
  }

  private static func spelling(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "Infinity" : "-Infinity" }
    return PythonNumber.text(value)
  }

  private func append(_ text: String, to out: inout [UInt8]) throws {
    try interpreter.spend(bytes: text.utf8.count)
    guard escapesNonASCII else { return JSONWriter.append(text, to: &out) }
    var quoted: [UInt8] = []
    JSONWriter.append(text, to: &quoted)
    for unit in String(decoding: quoted, as: UTF8.self).utf16 {
      if unit < 0x80 {
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
    for _ in 0..<level { out.append(contentsOf: indent.utf8) }
  }
}
