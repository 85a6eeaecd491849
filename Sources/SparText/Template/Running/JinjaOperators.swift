import Foundation

/// Comparison with Python's rules and messages.
extension JinjaInterpreter {
  func compare(_ a: JinjaValue, _ symbol: String, _ b: JinjaValue) throws -> Bool {
    switch symbol {
    case "==": try equal(a, b)
    case "!=": try !equal(a, b)
    case "in": try contains(b, a)
    case "not in": try !contains(b, a)
    default: try isOrdered(a, symbol, b)
    }
  }

  /// `a < b` and its kin for numbers, texts (by code point) and sequences.
  func isOrdered(_ a: JinjaValue, _ symbol: String, _ b: JinjaValue) throws -> Bool {
    try spend()
    if let x = a.asInteger, let y = b.asInteger { return Self.holds(x, symbol, y) }
    if let x = a.asNumber, let y = b.asNumber { return Self.holds(x, symbol, y) }
    if let x = a.asText, let y = b.asText {
      try spend(bytes: min(x.utf8.count, y.utf8.count))
      if x.utf8.elementsEqual(y.utf8) { return symbol == "<=" || symbol == ">=" }
      return x.utf8.lexicographicallyPrecedes(y.utf8) == symbol.hasPrefix("<")
    }
    switch (a, b) {
    case (.undefined(let why), _), (_, .undefined(let why)): throw JinjaFault.undefined(why)
    case (.list(let x), .list(let y)), (.tuple(let x), .tuple(let y)):
      for (p, q) in zip(x.elements, y.elements) where try !equal(p, q) {
        return try deeper { try isOrdered(p, symbol, q) }
      }
      return Self.holds(x.elements.count, symbol, y.elements.count)
    default:
      throw JinjaFault.type(
        "'\(symbol)' not supported between instances of '\(typeName(a))' and '\(typeName(b))'")
    }
  }

  private static func holds<Number: Comparable>(_ x: Number, _ symbol: String, _ y: Number) -> Bool
  {
    switch symbol {
    case "<": x < y
    case "<=": x <= y
    case ">": x > y
    default: x >= y
    }
  }

  func contains(_ container: JinjaValue, _ value: JinjaValue) throws -> Bool {
    if let text = container.asText {
      guard let part = value.asText else {
        throw JinjaFault.type(
          "'in <string>' requires string as left operand, not \(typeName(value))")
      }
      try spend(bytes: text.utf8.count)
      return PythonText.find(Array(part.utf8), in: Array(text.utf8), from: 0) != nil
    }
    switch container {
    case .list(let list), .tuple(let list):
      for element in list.elements where try equal(element, value) { return true }
      return false
    case .dictionary(let members), .view(let members, .keys):
      return members.find(try key(value)) != nil
    case .range(let range):
      guard let number = value.asNumber, let whole = Int(exactly: number), range.count > 0 else {
        return false
      }
      let offset = whole.subtractingReportingOverflow(range.start)
      let place = offset.partialValue.dividedReportingOverflow(by: range.step)
      return !offset.overflow && !place.overflow
        && (0..<range.count).contains(place.partialValue)
        && place.partialValue * range.step == offset.partialValue
    default:
      guard let source = try iterator(container, orNil: true) else {
        throw JinjaFault.type("argument of type '\(typeName(container))' is not iterable")
      }
      while let element = try source.next() {
        if try equal(element, value) { return true }
      }
      return false
    }
  }
}
