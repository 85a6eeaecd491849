/// `text.format(…)`. Source: Python's `string.Formatter`, which the sandbox uses.
extension PythonFormat {
  /// `format.format(*given.positional, **given.named)`.
  func braces(_ format: String, _ given: JinjaCall) throws -> String {
    var next: Int? = 0
    let out = try braces(format, given, &next, level: 0)
    try interpreter.make(bytes: out.utf8.count)
    return out
  }

  private func braces(
    _ format: String, _ given: JinjaCall, _ next: inout Int?, level: Int
  ) throws -> String {
    guard level < 2 else { throw JinjaFault.type("Max string recursion exceeded") }
    var scanner = FormatScanner(format)
    var out = ""
    while let scalar = scanner.next() {
      guard scalar == "{" || scalar == "}" else {
        out.unicodeScalars.append(scalar)
        continue
      }
      if scanner.peek == scalar {
        _ = scanner.next()
        out.unicodeScalars.append(scalar)
        continue
      }
      guard scalar == "{" else {
        throw JinjaFault.type("Single '}' encountered in format string")
      }
      guard scanner.peek != nil else {
        throw JinjaFault.type("Single '{' encountered in format string")
      }
      var field = try scanner.field()
      let value = try self.value(field.name, given, &next)
      if field.specification.unicodeScalars.contains("{") {
        field.specification = try braces(field.specification, given, &next, level: level + 1)
      }
      var text: JinjaValue = value
      switch field.conversion {
      case nil: break
      case "s": text = .string(try interpreter.text(value))
      case "r": text = .string(try interpreter.representation(value))
      case let other?:
        throw JinjaFault.type("Unknown conversion specifier \(other)")
      }
      out += try formatted(text, field.specification)
      try interpreter.spend(bytes: 64)
    }
    return out
  }

  private func value(
    _ name: String, _ given: JinjaCall, _ next: inout Int?
  ) throws -> JinjaValue {
    var path = FormatScanner(name)
    let first = path.prefix { $0 != "." && $0 != "[" }
    var value: JinjaValue
    if first.isEmpty || Int(first) != nil {
      let place: Int
      if first.isEmpty {
        guard let number = next else {
          throw JinjaFault.type(
            "cannot switch from manual field specification to automatic field numbering")
        }
        place = number
        next = number + 1
      } else {
        guard next == nil || next == 0 else {
          throw JinjaFault.type(
            "cannot switch from manual field specification to automatic field numbering")
        }
        place = Int(first) ?? 0
        next = nil
      }
      guard given.positional.indices.contains(place) else {
        throw JinjaFault.type("tuple index out of range")
      }
      value = given.positional[place]
    } else {
      guard let found = given.named.first(where: { $0.name == first })?.value else {
        throw JinjaFault.type(JinjaText.quoted(first))
      }
      value = found
    }
    while let mark = path.next() {
      if mark == "." {
        value = try interpreter.attribute(of: value, path.prefix { $0 != "." && $0 != "[" })
      } else {
        let key = try path.until("]", otherwise: "Missing ']' in format string")
        value = try interpreter.item(
          of: value, Int(key).map(JinjaValue.integer) ?? .string(key))
      }
    }
    return value
  }

  /// `format(value, specification)`.
  private func formatted(_ value: JinjaValue, _ text: String) throws -> String {
    if text.isEmpty { return try interpreter.text(value) }
    var scanner = FormatScanner(text)
    var specification = try scanner.specification()
    specification.width = try bounded(specification.width)
    specification.precision = try specification.precision.map(bounded)
    guard scanner.next() == nil else { throw JinjaFault.type("Invalid format specifier") }
    let typeName = interpreter.typeName(value)
    if value.asText != nil {
      guard specification.type == nil || specification.type == "s" else {
        throw unknownCode(specification.type, typeName)
      }
      guard specification.sign == nil, specification.alignment != "=",
        specification.grouping == nil
      else { throw JinjaFault.type("Sign not allowed in string format specifier") }
      var text = try interpreter.text(value)
      if let precision = specification.precision {
        text = String(text.unicodeScalars.prefix(precision))
      }
      return padded(text, specification, isLeft: specification.alignment != ">")
    }
    guard let number = value.asNumber else {
      throw JinjaFault.type("unsupported format string passed to \(typeName).__format__")
    }
    let isRight = specification.alignment == nil
    if isRight, specification.fill != "0" { specification.alignment = ">" }
    switch specification.type {
    case nil, "d", "x", "X", "o", "b", "n":
      guard let whole = value.asInteger else {
        guard specification.type == nil else { throw unknownCode(specification.type, typeName) }
        guard specification.precision == nil else {
          throw JinjaFault.type(
            "a precision without a type is not supported in chat templates: write .3g or .2f")
        }
        return signed(
          PythonNumber.text(number.magnitude), isNegative: isNegative(number), specification)
      }
      if case .boolean = value, specification.type == nil {
        throw JinjaFault.type("formatting a bool is not supported in chat templates")
      }
      guard specification.precision == nil else {
        throw JinjaFault.type("Precision not allowed in integer format specifier")
      }
      let radix =
        specification.type == "b"
        ? 2
        : specification.type == "o"
          ? 8 : specification.type == "x" || specification.type == "X" ? 16 : 10
      let prefix =
        specification.isAlternate && radix != 10
        ? "0" + (specification.type.map(String.init) ?? "") : ""
      return signed(
        String(whole.magnitude, radix: radix, uppercase: specification.type == "X"),
        prefix: prefix, isNegative: whole < 0, specification)
    case "f", "F", "e", "E", "g", "G":
      return signed(decimal(number, specification), isNegative: isNegative(number), specification)
    case "%":
      var scaled = specification
      scaled.type = "f"
      return signed(
        decimal(number * 100, scaled) + "%", isNegative: isNegative(number), specification)
    default: throw unknownCode(specification.type, typeName)
    }
  }

  private func unknownCode(_ type: Unicode.Scalar?, _ typeName: String) -> JinjaFault {
    .type(
      "Unknown format code '\(type.map(String.init) ?? "")' for object of type '\(typeName)'")
  }
}
