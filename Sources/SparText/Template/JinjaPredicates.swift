/// Tests: `x is name(arguments)`. Source: jinja2 3.1 `tests.py`.
extension JinjaInterpreter {
  func test(_ name: String, _ value: JinjaValue, _ given: JinjaCall) throws -> Bool {
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": return value == .none
    case "boolean": return if case .boolean = value { true } else { false }
    case "true": return if case .boolean(true) = value { true } else { false }
    case "false": return if case .boolean(false) = value { true } else { false }
    case "integer": return if case .integer = value { true } else { false }
    case "float": return if case .number = value { true } else { false }
    case "number": return value.asNumber != nil
    case "string": return if case .string = value { true } else { false }
    case "mapping": return if case .dictionary = value { true } else { false }
    case "sequence": return isSequence(value) && !value.isUndefined
    case "iterable": return isSequence(value)
    case "callable": return isCallable(value)
    case "escaped": return false
    case "odd", "even":
      guard let number = value.asInteger else {
        throw JinjaFault.type("not all arguments converted during string formatting")
      }
      return (number % 2 == 0) == (name == "even")
    case "divisibleby":
      let divisor = try argument(given, 0, "num", of: name)
      guard let number = value.asInteger, let divisor = divisor.asInteger, divisor != 0 else {
        throw JinjaFault.type("integer division or modulo by zero")
      }
      return divisor == -1 || number % divisor == 0
    case "lower", "upper":
      let text = value.text
      return try method(of: .string(text), "is" + name, JinjaCall()).isTrue
    case "eq", "equalto", "==": return value == (try operand(name, given))
    case "ne", "!=": return value != (try operand(name, given))
    case "lt", "lessthan", "<": return try compare(value, "<", operand(name, given))
    case "le", "<=": return try compare(value, "<=", operand(name, given))
    case "gt", "greaterthan", ">": return try compare(value, ">", operand(name, given))
    case "ge", ">=": return try compare(value, ">=", operand(name, given))
    case "in": return try contains(operand(name, given), value)
    case "sameas":
      let other = try operand(name, given)
      return value.typeName == other.typeName && value == other
    default:
      throw JinjaFault(
        "No test named '\(name)'.", cure: "this test is not part of Jinja as chat templates use it")
    }
  }

  private func operand(_ name: String, _ given: JinjaCall) throws -> JinjaValue {
    try argument(given, 0, "other", of: name)
  }

  private func isSequence(_ value: JinjaValue) -> Bool {
    switch value {
    case .string, .list, .tuple, .dictionary, .undefined: true
    default: false
    }
  }

  private func isCallable(_ value: JinjaValue) -> Bool {
    switch value {
    case .method: true
    case .reference(let reference): reference.kind != .namespace && reference.kind != .cycler
    default: false
    }
  }
}
