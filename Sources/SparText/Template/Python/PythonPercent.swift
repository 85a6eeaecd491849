import Foundation

/// `text % values`.
extension PythonFormat {
  /// printf-style formatting with a tuple, a mapping or one value.
  func percent(_ format: String, _ given: JinjaValue) throws -> String {
    var scanner = FormatScanner(format)
    var values: [JinjaValue]
    if case .tuple(let list) = given { values = list.elements } else { values = [given] }
    var next = 0
    var usesNames = false
    func take() throws -> JinjaValue {
      guard next < values.count else {
        throw JinjaFault.type("not enough arguments for format string")
      }
      defer { next += 1 }
      return values[next]
    }
    var out = ""
    while let scalar = scanner.next() {
      guard scalar == "%" else {
        out.unicodeScalars.append(scalar)
        continue
      }
      if scanner.peek == "%" {
        _ = scanner.next()
        out += "%"
        continue
      }
      var name: String?
      if scanner.peek == "(" {
        _ = scanner.next()
        name = try scanner.until(")", otherwise: "incomplete format key")
        usesNames = true
      }
      var specification = Specification()
      while let flag = scanner.peek, "-+ #0".unicodeScalars.contains(flag) {
        _ = scanner.next()
        switch flag {
        case "-": specification.alignment = "<"
        case "+": specification.sign = "+"
        case " ": specification.sign = specification.sign ?? " "
        case "#": specification.isAlternate = true
        default: specification.fill = "0"
        }
      }
      func amount() throws -> Int? {
        guard scanner.peek == "*" else { return try scanner.number().map(bounded) }
        _ = scanner.next()
        guard let value = try take().asInteger else { throw JinjaFault.type("* wants int") }
        if value < 0 { specification.alignment = "<" }
        return try bounded(Int(clamping: value.magnitude))
      }
      specification.width = try amount() ?? 0
      if scanner.peek == "." {
        _ = scanner.next()
        specification.precision = try amount() ?? 0
      }
      while let size = scanner.peek, "hlL".unicodeScalars.contains(size) { _ = scanner.next() }
      guard let type = scanner.next() else { throw JinjaFault.type("incomplete format") }
      specification.type = type
      let value: JinjaValue
      if let name {
        guard case .dictionary(let members) = given else {
          throw JinjaFault.type("format requires a mapping")
        }
        guard let found = members[name] else {
          throw JinjaFault.type(JinjaText.quoted(name))
        }
        value = found
      } else if type == "%" {
        out += "%"
        continue
      } else {
        value = try take()
      }
      out += try converted(value, specification, index: scanner.place - 1)
      try interpreter.spend(bytes: specification.width)
    }
    var isMapping = false
    switch given {
    case .dictionary, .list, .range, .undefined: isMapping = true
    default: break
    }
    guard next >= values.count || usesNames || (isMapping && next == 0) else {
      throw JinjaFault.type("not all arguments converted during string formatting")
    }
    try interpreter.make(bytes: out.utf8.count)
    return out
  }

  private func converted(
    _ value: JinjaValue, _ specification: Specification, index: Int
  ) throws -> String {
    guard let type = specification.type else { return "" }
    var specification = specification
    if specification.alignment == "<" { specification.fill = " " }
    switch type {
    case "s", "r", "a":
      var text = try type == "s" ? interpreter.text(value) : interpreter.representation(value)
      if type == "a", !text.utf8.allSatisfy({ $0 < 0x80 }) {
        throw JinjaFault.type("the conversion %a is not supported in chat templates")
      }
      if let precision = specification.precision {
        text = String(text.unicodeScalars.prefix(precision))
      }
      specification.fill = " "
      return padded(text, specification, isLeft: specification.alignment == "<")
    case "c":
      if let text = value.asText, text.unicodeScalars.count == 1 {
        return padded(text, specification, isLeft: specification.alignment == "<")
      }
      guard let code = value.asInteger,
        let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init)
      else { throw JinjaFault.type("%c requires int or char") }
      return padded(String(scalar), specification, isLeft: specification.alignment == "<")
    case "d", "i", "u", "x", "X", "o":
      if case .undefined(let why) = value { throw JinjaFault.undefined(why) }
      let isDecimal = "diu".unicodeScalars.contains(type)
      var number: Int
      if let whole = value.asInteger {
        number = whole
      } else if isDecimal, case .number(let decimal) = value {
        guard let whole = Int(exactly: decimal.rounded(.towardZero)) else {
          throw JinjaInterpreter.tooLarge
        }
        number = whole
      } else {
        throw JinjaFault.type(
          "%\(type) format: \(isDecimal ? "a real number" : "an integer") is required, not "
            + interpreter.typeName(value))
      }
      let radix = isDecimal ? 10 : type == "o" ? 8 : 16
      var digits = String(number.magnitude, radix: radix, uppercase: type == "X")
      if let precision = specification.precision {
        digits = String(repeating: "0", count: max(0, precision - digits.utf8.count)) + digits
      }
      let prefix = specification.isAlternate && !isDecimal ? "0\(type)" : ""
      return signed(digits, prefix: prefix, isNegative: number < 0, specification)
    case "f", "F", "e", "E", "g", "G":
      if case .undefined(let why) = value { throw JinjaFault.undefined(why) }
      guard let number = value.asNumber else {
        throw JinjaFault.type("must be real number, not \(interpreter.typeName(value))")
      }
      return signed(decimal(number, specification), isNegative: isNegative(number), specification)
    default:
      throw JinjaFault.type(
        "unsupported format character '\(type)' (0x\(String(type.value, radix: 16))) at index "
          + "\(index)")
    }
  }
}
