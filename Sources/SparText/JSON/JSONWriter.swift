/// JSON text, in the spelling of Python's `json.dumps(ensure_ascii=False)`.
public enum JSONWriter {
  /// `text` in quotes, with only the escapes that JSON demands.
  public static func append(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): out.append(contentsOf: #"\""#.utf8)
      case UInt8(ascii: "\\"): out.append(contentsOf: #"\\"#.utf8)
      case 0x0A: out.append(contentsOf: #"\n"#.utf8)
      case 0x0D: out.append(contentsOf: #"\r"#.utf8)
      case 0x09: out.append(contentsOf: #"\t"#.utf8)
      case 0x08: out.append(contentsOf: #"\b"#.utf8)
      case 0x0C: out.append(contentsOf: #"\f"#.utf8)
      case 0..<0x20:
        let hex = String(byte, radix: 16)
        out.append(contentsOf: #"\u00"#.utf8)
        if hex.utf8.count == 1 { out.append(UInt8(ascii: "0")) }
        out.append(contentsOf: hex.utf8)
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  public static func quoted(_ text: String) -> String {
    var out: [UInt8] = []
    append(text, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// A whole value on one line, or indented by two spaces a level.
  public static func text(_ node: JSONNode, indent: Int = 0) -> String {
    var out: [UInt8] = []
    append(node, indent: indent, level: 0, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  public static func append(_ node: JSONNode, indent: Int, level: Int, to out: inout [UInt8]) {
    switch node {
    case .null: out.append(contentsOf: "null".utf8)
    case .boolean(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): out.append(contentsOf: String(value).utf8)
    case .number(let value): out.append(contentsOf: String(value).utf8)
    case .string(let value): append(value, to: &out)
    case .array(let elements):
      list(elements.count, "[", "]", indent: indent, level: level, to: &out) { i, out in
        append(elements[i], indent: indent, level: level + 1, to: &out)
      }
    case .object(let members):
      list(members.count, "{", "}", indent: indent, level: level, to: &out) { i, out in
        append(members[i].key, to: &out)
        out.append(contentsOf: ": ".utf8)
        append(members[i].value, indent: indent, level: level + 1, to: &out)
      }
    }
  }

  private static func list(
    _ count: Int, _ open: String, _ close: String, indent: Int, level: Int,
    to out: inout [UInt8], _ element: (Int, inout [UInt8]) -> Void
  ) {
    out.append(contentsOf: open.utf8)
    for i in 0..<count {
      if i > 0 { out.append(contentsOf: (indent > 0 ? "," : ", ").utf8) }
      newLine(indent, level + 1, to: &out)
      element(i, &out)
    }
    if count > 0 { newLine(indent, level, to: &out) }
    out.append(contentsOf: close.utf8)
  }

  private static func newLine(_ indent: Int, _ level: Int, to out: inout [UInt8]) {
    guard indent > 0 else { return }
    out.append(0x0A)
    out.append(contentsOf: repeatElement(0x20, count: indent * level))
  }
}
