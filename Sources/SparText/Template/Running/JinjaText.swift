/// Values as text: Python's `str` and `repr`.
extension JinjaInterpreter {
  /// `str(x)`; undefined prints as nothing.
  func text(_ value: JinjaValue) throws -> String {
    switch value {
    case .undefined: return ""
    case .string(let text), .markup(let text): return text
    case .integer(let number): return String(number)
    default: return try representation(value)
    }
  }

  /// `repr(x)`.
  func representation(_ value: JinjaValue) throws -> String {
    var out: [UInt8] = []
    try represent(value, level: 0, into: &out)
    try make(bytes: out.count)
    return String(decoding: out, as: UTF8.self)
  }

  private func represent(
    _ value: JinjaValue, level: Int, into out: inout [UInt8]
  ) throws {
    try spend()
    guard out.count <= limits.outputBytes else { return try make(bytes: out.count) }
    guard level <= limits.nesting else { return try checkNesting(Int32(level)) }
    func add(_ text: String) { out.append(contentsOf: text.utf8) }
    switch value {
    case .undefined: add("Undefined")
    case .none: add("None")
    case .boolean(let flag): add(flag ? "True" : "False")
    case .integer(let value): add(String(value))
    case .number(let value): add(PythonNumber.text(value))
    case .string(let text):
      try spend(bytes: text.utf8.count)
      JinjaText.quote(text, into: &out)
    case .markup(let text):
      add("Markup(")
      JinjaText.quote(text, into: &out)
      add(")")
    case .list(let list): try represent("[", list.elements, "]", level, into: &out)
    case .tuple(let list):
      try represent(
        "(", list.elements, list.elements.count == 1 ? ",)" : ")", level, into: &out)
    case .dictionary(let members): try represent(members, level, into: &out)
    case .range(let range):
      add(
        range.step == 1
          ? "range(\(range.start), \(range.stop))"
          : "range(\(range.start), \(range.stop), \(range.step))")
    case .view(let members, let kind):
      add("\(kind.rawValue)(")
      let elements = value.plainElements ?? members.keys
      try represent("[", elements, "]", level + 1, into: &out)
      add(")")
    case .reference(let reference): try represent(reference, value, level, into: &out)
    case .method(.none, "range"), .method(.none, "dict"), .method(_, _):
      throw unprintable(value)
    }
  }

  private func represent(
    _ open: String, _ elements: [JinjaValue], _ close: String, _ level: Int,
    into out: inout [UInt8]
  ) throws {
    out.append(contentsOf: open.utf8)
    for (i, element) in elements.enumerated() {
      if i > 0 { out.append(contentsOf: ", ".utf8) }
      try represent(element, level: level + 1, into: &out)
    }
    out.append(contentsOf: close.utf8)
  }

  private func represent(
    _ members: JinjaDictionary, _ level: Int, into out: inout [UInt8]
  ) throws {
    out.append(UInt8(ascii: "{"))
    for i in 0..<members.count {
      if i > 0 { out.append(contentsOf: ", ".utf8) }
      try represent(members.keys[i], level: level + 1, into: &out)
      out.append(contentsOf: ": ".utf8)
      try represent(members.values[i], level: level + 1, into: &out)
    }
    out.append(UInt8(ascii: "}"))
  }

  private func represent(
    _ reference: JinjaReference, _ value: JinjaValue, _ level: Int, into out: inout [UInt8]
  ) throws {
    switch reference.kind {
    case .namespace:
      out.append(contentsOf: "<Namespace ".utf8)
      try represent(namespaces[reference.index], level + 1, into: &out)
      out.append(UInt8(ascii: ">"))
    case .macro:
      let name = macros[reference.index].definition.name.map(JinjaText.quoted) ?? "anonymous"
      out.append(contentsOf: "<Macro \(name)>".utf8)
    case .loop:
      let state = try loop(reference)
      out.append(contentsOf: "<LoopContext \(state.index + 1)/\(try state.count())>".utf8)
    case .cycler, .joiner, .iterator: throw unprintable(value)
    }
  }

  /// Python prints the object's address, which no template can mean.
  private func unprintable(_ value: JinjaValue) -> JinjaFault {
    JinjaFault(
      "printing a \(typeName(value)) is not supported in chat templates",
      cure: "turn it into text first, for example with |list or |join")
  }
}

/// Python's spelling of a string.
enum JinjaText {
  static func quoted(_ text: String) -> String {
    var out: [UInt8] = []
    quote(text, into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Single quotes, unless the text has those and no double ones.
  static func quote(_ text: String, into out: inout [UInt8]) {
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

  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator, .spaceSeparator:
      return false
    default: return true
    }
  }
}
