import Foundation

/// Arithmetic with Python's rules and messages; integers beyond 64 bits are refused.
extension JinjaInterpreter {
  static let tooLarge = JinjaFault(
    "an integer beyond 64 bits is not supported in chat templates",
    cure: "no prompt needs such numbers; give them as text")

  func signed(_ value: JinjaValue, negative: Bool) throws -> JinjaValue {
    switch value {
    case .undefined(let why): throw JinjaFault.undefined(why)
    case .number(let number): return .number(negative ? -number : number)
    default:
      guard let number = value.asInteger else {
        throw JinjaFault.type(
          "bad operand type for unary \(negative ? "-" : "+"): '\(typeName(value))'")
      }
      return negative ? try Self.exact(0, "-", number) : .integer(number)
    }
  }

  func arithmetic(
    _ first: JinjaExpression, _ operations: [JinjaOperation]
  ) throws -> JinjaValue {
    var left = try evaluate(first)
    for operation in operations {
      left = try combine(left, operation.symbol, evaluate(operation.right))
    }
    return left
  }

  func combine(_ a: JinjaValue, _ symbol: String, _ b: JinjaValue) throws -> JinjaValue {
    if let x = a.asInteger, let y = b.asInteger { return try Self.exact(x, symbol, y) }
    if let x = a.asNumber, let y = b.asNumber { return try Self.floating(x, symbol, y) }
    switch symbol {
    case "+": if let sum = try sum(a, b) { return sum }
    case "*": if let product = try product(a, b) { return product }
    case "%":
      if let format = a.asText {
        let text = try PythonFormat(self).percent(format, b)
        if case .markup = a { return .markup(text) }
        return .string(text)
      }
    default: break
    }
    if case .undefined(let why) = a { throw JinjaFault.undefined(why) }
    if case .undefined(let why) = b { throw JinjaFault.undefined(why) }
    throw mismatch(a, symbol, b)
  }

  private func sum(_ a: JinjaValue, _ b: JinjaValue) throws -> JinjaValue? {
    switch (a, b) {
    case (.string(let x), .string(let y)):
      try make(bytes: x.utf8.count + y.utf8.count)
      return .string(x + y)
    case (.markup(let x), .markup(let y)):
      try make(bytes: x.utf8.count + y.utf8.count)
      return .markup(x + y)
    case (.markup(let x), .string(let y)):
      try make(bytes: x.utf8.count + 6 * y.utf8.count)
      return .markup(x + JinjaMarkup.escaped(y))
    case (.string(let x), .markup(let y)):
      try make(bytes: 6 * x.utf8.count + y.utf8.count)
      return .markup(JinjaMarkup.escaped(x) + y)
    case (.list(let x), .list(let y)):
      try make(elements: x.elements.count + y.elements.count)
      return .list(x.elements + y.elements)
    case (.tuple(let x), .tuple(let y)):
      try make(elements: x.elements.count + y.elements.count)
      return .tuple(x.elements + y.elements)
    default: return nil
    }
  }

  private func product(_ a: JinjaValue, _ b: JinjaValue) throws -> JinjaValue? {
    let (value, count): (JinjaValue, Int)
    if let times = b.asInteger {
      (value, count) = (a, times)
    } else if let times = a.asInteger {
      (value, count) = (b, times)
    } else {
      return nil
    }
    func size(_ one: Int) throws -> Int {
      let all = one.multipliedReportingOverflow(by: max(0, count))
      return all.overflow ? .max : all.partialValue
    }
    switch value {
    case .string(let text):
      try make(bytes: size(text.utf8.count))
      return .string(text.isEmpty ? "" : String(repeating: text, count: max(0, count)))
    case .markup(let text):
      try make(bytes: size(text.utf8.count))
      return .markup(text.isEmpty ? "" : String(repeating: text, count: max(0, count)))
    case .list(let list):
      try make(elements: size(list.elements.count))
      return .list(repeated(list.elements, count))
    case .tuple(let list):
      try make(elements: size(list.elements.count))
      return .tuple(repeated(list.elements, count))
    default: return nil
    }
  }

  private func repeated(_ elements: [JinjaValue], _ count: Int) -> [JinjaValue] {
    guard count > 0, !elements.isEmpty else { return [] }
    return Array(repeatElement(elements, count: count).joined())
  }

  private func mismatch(_ a: JinjaValue, _ symbol: String, _ b: JinjaValue) -> JinjaFault {
    let (left, right) = (typeName(a), typeName(b))
    if symbol == "+" {
      switch a {
      case .string: return .type("can only concatenate str (not \"\(right)\") to str")
      case .list: return .type("can only concatenate list (not \"\(right)\") to list")
      case .tuple: return .type("can only concatenate tuple (not \"\(right)\") to tuple")
      default: break
      }
    }
    if symbol == "*" {
      for (sequence, other) in [(a, right), (b, left)] {
        switch sequence {
        case .string, .markup, .list, .tuple:
          return .type("can't multiply sequence by non-int of type '\(other)'")
        default: continue
        }
      }
    }
    let spelled = symbol == "**" ? "** or pow()" : symbol
    return .type("unsupported operand type(s) for \(spelled): '\(left)' and '\(right)'")
  }

  static func exact(_ x: Int, _ symbol: String, _ y: Int) throws -> JinjaValue {
    let result: (partialValue: Int, overflow: Bool)
    switch symbol {
    case "+": result = x.addingReportingOverflow(y)
    case "-": result = x.subtractingReportingOverflow(y)
    case "*": result = x.multipliedReportingOverflow(by: y)
    case "/":
      guard y != 0 else { throw JinjaFault.type("division by zero") }
      return .number(Double(x) / Double(y))
    case "**":
      if y >= 0 { return try power(x, y) }
      guard x != 0 else {
        throw JinjaFault.type("0.0 cannot be raised to a negative power")
      }
      return .number(pow(Double(x), Double(y)))
    default:
      guard y != 0 else {
        throw JinjaFault.type(
          symbol == "//" ? "integer division or modulo by zero" : "integer modulo by zero")
      }
      // Python rounds towards minus infinity, Swift towards zero.
      let quotient = x.dividedReportingOverflow(by: y)
      let rest = y == -1 ? 0 : x % y
      let isOff = rest != 0 && (rest < 0) != (y < 0)
      result =
        symbol == "//"
        ? (isOff ? quotient.partialValue - 1 : quotient.partialValue, quotient.overflow)
        : (isOff ? rest + y : rest, false)
    }
    guard !result.overflow else { throw tooLarge }
    return .integer(result.partialValue)
  }

  private static func power(_ base: Int, _ exponent: Int) throws -> JinjaValue {
    if [0, 1, -1].contains(base) {
      return .integer(exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base)
    }
    var value = 1
    for _ in 0..<min(exponent, 64) {
      let next = value.multipliedReportingOverflow(by: base)
      guard !next.overflow else { throw tooLarge }
      value = next.partialValue
    }
    return .integer(value)
  }

  private static func floating(_ x: Double, _ symbol: String, _ y: Double) throws -> JinjaValue {
    switch symbol {
    case "+": return .number(x + y)
    case "-": return .number(x - y)
    case "*": return .number(x * y)
    case "**":
      guard x != 0 || y >= 0 else {
        throw JinjaFault.type("0.0 cannot be raised to a negative power")
      }
      let value = pow(x, y)
      guard !value.isNaN || x.isNaN || y.isNaN else {
        throw JinjaFault.type("complex numbers are not supported in chat templates")
      }
      guard value.isFinite || !x.isFinite || !y.isFinite else {
        throw JinjaFault.type("(34, 'Numerical result out of range')")
      }
      return .number(value)
    default:
      guard y != 0 else {
        throw JinjaFault.type(
          symbol == "/"
            ? "float division by zero"
            : symbol == "//" ? "float floor division by zero" : "float modulo")
      }
      if symbol == "/" { return .number(x / y) }
      return .number(symbol == "//" ? divided(x, y).quotient : divided(x, y).rest)
    }
  }

  /// CPython's `float_divmod`: the rest has the divisor's sign.
  private static func divided(_ x: Double, _ y: Double) -> (quotient: Double, rest: Double) {
    var rest = fmod(x, y)
    var quotient = (x - rest) / y
    if rest != 0 {
      if (y < 0) != (rest < 0) {
        rest += y
        quotient -= 1
      }
    } else {
      rest = Double(signOf: y, magnitudeOf: 0)
    }
    guard quotient != 0 else { return (Double(signOf: x / y, magnitudeOf: 0), rest) }
    var floor = quotient.rounded(.down)
    if quotient - floor > 0.5 { floor += 1 }
    return (floor, rest)
  }
}
