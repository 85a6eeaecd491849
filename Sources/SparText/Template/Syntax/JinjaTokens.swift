/// What the lexer hands to the parser.
struct JinjaToken: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    /// Text outside of tags, white space control already applied.
    case data(String)
    case variableBegin, variableEnd, blockBegin, blockEnd
    case name(String)
    case string(String)
    case integer(Int)
    case number(Double)
    case symbol(String)
    case end
  }
  var kind: Kind
  var line: Int

  /// As it is shown in messages.
  var spelling: String {
    switch kind {
    case .data: "text"
    case .variableBegin: "{{"
    case .variableEnd: "}}"
    case .blockBegin: "{%"
    case .blockEnd: "%}"
    case .name(let name): name
    case .string(let text): "'\(text)'"
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .symbol(let text): text
    case .end: "end of template"
    }
  }
}

/// White space as Python's `str.isspace` and `\s` see it.
enum PythonSpace {
  static func contains(_ scalar: Unicode.Scalar) -> Bool {
    (0x1C...0x1F).contains(scalar.value) || scalar.properties.isWhitespace
  }
}
