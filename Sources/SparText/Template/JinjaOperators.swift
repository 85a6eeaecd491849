import Foundation

/// Arithmetic, comparison and iteration with Python's rules and messages.
extension JinjaInterpreter {
  /// What a loop walks over: elements, keys, or characters.
  func elements(_ value: JinjaValue) throws -> [JinjaValue] {
    switch value {
    case .list(let elements), .tuple(let elements): return elements
    case .dictionary(let members): return members.keys
    case .string(let text):
      try spend(bytes: text.utf8.count)
      return text.unicodeScalars.map { .string(String($0)) }
    case .undefined: return []
    default: throw JinjaFault.type("'\(value.typeName)' object is not iterable")
    }
  }

  func compare(_ a: JinjaValue, _ symbol: String, _ b: JinjaValue) throws -> Bool {
    switch symbol {
    case "==": a == b
    case "!=": a != b
    case "in": try contains(b, a)
    case "not in": try !contains(b, a)
    case "<": try precedes(a, b, symbol)
    case ">": try precedes(b, a, symbol)
    case "<=": try a == b || precedes(a, b, symbol)
    default: try a == b || precedes(b, a, symbol)
    }
  }

  /// a < b for numbers, texts (by code point) and sequences.
  func precedes(_ a: JinjaValue, _ b: JinjaValue, _ symbol: String) throws -> Bool {
    if let x = a.asNumber, let y = b.asNumber { return x < y }
    switch (a, b) {
    case (.undefined(let why), _), (_, .undefined(let why)): throw JinjaFault.undefined(why)
    case (.string(let x), .string(let y)): return x.utf8.lexicographicallyPrecedes(y.utf8)
    case (.list(let x), .list(let y)), (.tuple(let x), .tuple(let y)):
      for (p, q) in zip(x, y) where p != q {
        try spend()
        return try precedes(p, q, symbol)
      }
      return x.count < y.count
    default:
      throw JinjaFault.type(
        "'\(symbol)' not supported between instances of '\(a.typeName)' and '\(b.typeName)'")
    }
  }

  func contains(_ container: JinjaValue, _ value: JinjaValue) throws -> Bool {
    switch container {
    case .string(let text):
      guard case .string(let part) = value else {
        throw JinjaFault.type(
          "'in <string>' requires string as left operand, not \(value.typeName)")
      }
      try spend(bytes: text.utf8.count)
      return PythonText.find(Array(part.utf8), in: Array(text.utf8), from: 0) != nil
    case .list(let elements), .tuple(let elements):
      try spend(bytes: elements.count)
      return elements.contains(value)
    case .dictionary(let members): return members.find(value) != nil
    case .undefined: return false
    default:
      throw JinjaFault.type("argument of type '\(container.typeName)' is not iterable")
    }
  }

  func signed(_ value: JinjaValue, negative: Bool) throws -> JinjaValue {
    switch value {
    case .undefined(let why): throw JinjaFault.undefined(why)
    case .number(let number): return .number(negative ? -number : number)
    default:
      guard let number = value.asInteger else {
        throw JinjaFault.type(
          "bad operand type for unary \(negative ? "-" : "+"): '\(value.typeName)'")
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
    switch (a, symbol, b) {
    case (.undefined(let why), _, _), (_, _, .undefined(let why)): throw JinjaFault.undefined(why)
    case (.string(let x), "+", .string(let y)):
      try spend(bytes: x.utf8.count + y.utf8.count)
      return .string(x + y)
    case (.list(let x), "+", .list(let y)):
      try spend(bytes: 8 * (x.count + y.count))
      return .list(x + y)
    case (.tuple(let x), "+", .tuple(let y)):
      try spend(bytes: 8 * (x.count + y.count))
      return .tuple(x + y)
    case (.string(let text), "*", _):
      if let count = b.asInteger { return .string(try repeated(text, count)) }
    case (_, "*", .string(let text)):
      if let count = a.asInteger { return .string(try repeated(text, count)) }
    case (.list(let elements), "*", _):
      if let count = b.asInteger, count <= 0 || elements.isEmpty { return .list([]) }
      if let count = b.asInteger {
        try spend(
          bytes: 64
            * (elements.count.multipliedReportingOverflow(by: count).overflow
              ? Int(Int32.max) : min(elements.count * count, Int(Int32.max))))
        return .list(Array(repeatElement(elements, count: count).joined()))
      }
    default: break
    }
    if let x = a.asInteger, let y = b.asInteger { return try Self.exact(x, symbol, y) }
    if let x = a.asNumber, let y = b.asNumber { return try Self.floating(x, symbol, y) }
    if case .string = a, symbol == "+" {
      throw JinjaFault.type("can only concatenate str (not \"\(b.typeName)\") to str")
    }
    if case .list = a, symbol == "+" {
      throw JinjaFault.type("can only concatenate list (not \"\(b.typeName)\") to list")
    }
    throw JinjaFault.type(
      "unsupported operand type(s) for \(symbol): '\(a.typeName)' and '\(b.typeName)'")
  }

  private func repeated(_ text: String, _ count: Int) throws -> String {
    guard count > 0, !text.isEmpty else { return "" }
    let size = text.utf8.count.multipliedReportingOverflow(by: count)
    guard !size.overflow, size.partialValue <= limits.outputBytes else {
      throw JinjaFault(
        "a text repeated \(count) times exceeds \(limits.outputBytes) bytes",
        cure: "no prompt needs that; the template is wrong or hostile")
    }
    try spend(bytes: size.partialValue)
    return String(repeating: text, count: count)
  }

  private static func exact(_ x: Int, _ symbol: String, _ y: Int) throws -> JinjaValue {
    let result: (partialValue: Int, overflow: Bool)
    switch symbol {
    case "+": result = x.addingReportingOverflow(y)
    case "-": result = x.subtractingReportingOverflow(y)
    case "*": result = x.multipliedReportingOverflow(by: y)
    case "/", "**":
      if symbol == "**", y >= 0 { return try power(x, y) }
      return try floating(Double(x), symbol, Double(y))
    default:
      guard y != 0 else { throw JinjaFault.type("integer division or modulo by zero") }
      // Python rounds towards minus infinity, Swift towards zero.
      let quotient = x.dividedReportingOverflow(by: y)
      let rest = y == -1 ? 0 : x % y
      let isOff = rest != 0 && (rest < 0) != (y < 0)
      result =
        symbol == "//"
        ? (isOff ? quotient.partialValue - 1 : quotient.partialValue, quotient.overflow)
        : (isOff ? rest + y : rest, false)
    }
    guard !result.overflow else { throw JinjaFault.type("an integer beyond 64 bits") }
    return .integer(result.partialValue)
  }

  private static func power(_ base: Int, _ exponent: Int) throws -> JinjaValue {
    var value = 1
    if [0, 1, -1].contains(base) {
      return .integer(exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base)
    }
    for _ in 0..<min(exponent, 64) {
      let next = value.multipliedReportingOverflow(by: base)
      guard !next.overflow else { throw JinjaFault.type("an integer beyond 64 bits") }
      value = next.partialValue
    }
    return .integer(value)
  }

  private static func floating(_ x: Double, _ symbol: String, _ y: Double) throws -> JinjaValue {
    switch symbol {
    case "+": return .number(x + y)
    case "-": return .number(x - y)
    case "*": return .number(x * y)
    case "**": return .number(pow(x, y))
    default:
      guard y != 0 else { throw JinjaFault.type("division by zero") }
      if symbol == "/" { return .number(x / y) }
      let quotient = (x / y).rounded(.down)
      return .number(symbol == "//" ? quotient : x - quotient * y)
    }
  }
}
