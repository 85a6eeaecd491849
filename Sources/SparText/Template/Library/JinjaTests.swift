/// Tests: `x is name(arguments)`. Source: jinja2 3.1 `tests.py`.
extension JinjaInterpreter {
  func test(_ name: String, _ value: JinjaValue, _ given: JinjaCall) throws -> Bool {
    switch name {
    case "eq", "equalto", "==", "ne", "!=", "lt", "lessthan", "<", "le", "<=", "gt",
      "greaterthan", ">", "ge", ">=":
      return try comparison(name, value, given)
    case "divisibleby":
      let divisor = try given.bind("test_divisibleby", required: ["num"])[0] ?? .none
      return try equal(combine(value, "%", divisor), .integer(0))
    case "in":
      return try contains(given.bind("test_in", required: ["seq"])[0] ?? .none, value)
    case "sameas":
      return try isSame(value, given.bind("test_sameas", required: ["other"])[0] ?? .none)
    default:
      if name == "callable" {
        _ = try given.place("callable", 0...0)
      } else {
        _ = try given.bind("test_\(name)")
      }
      return try plainTest(name, value)
    }
  }

  private func plainTest(_ name: String, _ value: JinjaValue) throws -> Bool {
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": return value.isNone
    case "boolean": return if case .boolean = value { true } else { false }
    case "true": return if case .boolean(true) = value { true } else { false }
    case "false": return if case .boolean(false) = value { true } else { false }
    case "integer": return if case .integer = value { true } else { false }
    case "float": return if case .number = value { true } else { false }
    case "number": return value.asNumber != nil
    case "string": return value.asText != nil
    case "mapping": return if case .dictionary = value { true } else { false }
    case "sequence": return isSequence(value)
    case "iterable": return isIterable(value)
    case "callable": return isCallable(value)
    case "escaped": return if case .markup = value { true } else { false }
    case "odd": return try equal(combine(value, "%", .integer(2)), .integer(1))
    case "even": return try equal(combine(value, "%", .integer(2)), .integer(0))
    case "lower", "upper": return PythonCase.holds("is" + name, try text(value))
    case "filter", "test":
      let known = name == "filter" ? JinjaLibrary.filters : JinjaLibrary.tests
      _ = try key(value)
      guard let text = value.asText else { return false }
      return known.contains(text)
        || (name == "filter" && JinjaLibrary.refusedFilters.contains(text))
    default:
      throw JinjaFault(
        "No test named '\(name)'.", cure: "this test is not part of Jinja as chat templates use it")
    }
  }

  private func comparison(
    _ name: String, _ value: JinjaValue, _ given: JinjaCall
  ) throws -> Bool {
    let symbols = [
      "eq": "==", "equalto": "==", "ne": "!=", "lt": "<", "lessthan": "<", "le": "<=",
      "gt": ">", "greaterthan": ">", "ge": ">=",
    ]
    let symbol = symbols[name] ?? name
    let functions = ["==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"]
    guard given.named.isEmpty, given.positional.count == 1 else {
      throw JinjaFault.type(
        "\(functions[symbol] ?? name) expected 2 arguments, got \(given.positional.count + 1)")
    }
    return try compare(value, symbol, given.positional[0])
  }

  private func isSequence(_ value: JinjaValue) -> Bool {
    switch value {
    case .string, .markup, .list, .tuple, .dictionary, .undefined, .range: true
    default: false
    }
  }

  private func isIterable(_ value: JinjaValue) -> Bool {
    switch value {
    case .reference(let reference): reference.kind == .iterator || reference.kind == .loop
    case .view: true
    default: isSequence(value)
    }
  }

  private func isCallable(_ value: JinjaValue) -> Bool {
    switch value {
    case .method, .undefined: true
    case .reference(let reference):
      reference.kind == .macro || reference.kind == .loop || reference.kind == .joiner
    default: false
    }
  }

  /// Python's `is`. It depends on CPython's storage for equal texts, lists and large numbers.
  private func isSame(_ a: JinjaValue, _ b: JinjaValue) throws -> Bool {
    switch (a, b) {
    case (.none, .none): return true
    case (.boolean(let x), .boolean(let y)): return x == y
    case (.integer(let x), .integer(let y)) where (-5...256).contains(x) || x != y: return x == y
    case (.reference(let x), .reference(let y)): return x == y
    default:
      guard typeName(a) == typeName(b), try equal(a, b) else { return false }
      throw JinjaFault(
        "'sameas' on two equal values of type \(typeName(a)) is not supported in chat templates",
        cure: "write == instead")
    }
  }
}
