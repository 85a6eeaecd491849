extension JinjaValue: Equatable {
  /// Python's `==`: numbers by value whatever their type, strings by their code points.
  public static func == (a: JinjaValue, b: JinjaValue) -> Bool {
    do {
      return try equal(a, b) {}
    } catch {
      return false
    }
  }

  /// `step` is called for each pair that is looked at: values that share parts can be small in
  /// memory and endless to compare.
  static func equal(
    _ a: JinjaValue, _ b: JinjaValue, step: () throws -> Void
  ) throws -> Bool {
    try step()
    switch (a, b) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.list(let x), .list(let y)), (.tuple(let x), .tuple(let y)):
      return try equal(x.elements, y.elements, step: step)
    case (.range(let x), .range(let y)):
      return x.count == y.count
        && (x.count == 0 || x.start == y.start && (x.count == 1 || x.step == y.step))
    case (.dictionary(let x), .dictionary(let y)):
      guard x.count == y.count else { return false }
      for (key, value) in zip(x.keys, x.values) {
        guard let other = y.find(try JinjaKey(key, step: step)),
          try equal(value, other, step: step)
        else { return false }
      }
      return true
    case (.view(let x, let kind), .view(let y, let other)):
      guard kind == other, kind != .values else {
        throw JinjaFault(
          "comparing \(kind.rawValue) with \(other.rawValue) is not supported in chat templates",
          cure: "make lists of them first")
      }
      guard x.count == y.count else { return false }
      for (key, value) in zip(x.keys, x.values) {
        guard let found = y.find(try JinjaKey(key, step: step)),
          try kind == .keys || equal(value, found, step: step)
        else { return false }
      }
      return true
    case (.reference(let x), .reference(let y)): return x == y
    case (.method(let x, let name), .method(let y, let other)):
      return try name == other && equal(x, y, step: step)
    case (.integer(let x), .integer(let y)): return x == y
    case (.integer(let x), .number(let y)), (.number(let y), .integer(let x)):
      return Int(exactly: y) == x
    default:
      if let x = a.asText, let y = b.asText { return x.utf8.elementsEqual(y.utf8) }
      if let x = a.asNumber, let y = b.asNumber { return x == y }
      return false
    }
  }

  static func equal(
    _ a: [JinjaValue], _ b: [JinjaValue], step: () throws -> Void
  ) throws -> Bool {
    guard a.count == b.count else { return false }
    for i in a.indices where try !equal(a[i], b[i], step: step) { return false }
    return true
  }
}

extension JinjaKey {
  /// - Throws: a fault for a value that Python cannot hash.
  init(_ value: JinjaValue, step: () throws -> Void) throws {
    try step()
    switch value {
    case .string(let text), .markup(let text): self = .text(ExactText(text))
    case .integer(let number): self = .integer(number)
    case .boolean(let flag): self = .integer(flag ? 1 : 0)
    case .number(let number): self = Int(exactly: number).map(JinjaKey.integer) ?? .number(number)
    case .none: self = .none
    case .undefined: self = .undefined
    case .tuple(let list): self = .tuple(try list.elements.map { try JinjaKey($0, step: step) })
    case .reference(let reference): self = .reference(reference)
    case .range(let range):
      self = .range([
        range.count, range.count > 0 ? range.start : 0, range.count > 1 ? range.step : 0,
      ])
    case .list, .dictionary, .view, .method:
      throw JinjaFault.type("unhashable type: '\(value.typeName)'")
    }
  }
}

extension JinjaValue {
  /// Python's name of the type, for messages.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .boolean: "bool"
    case .integer: "int"
    case .number: "float"
    case .string: "str"
    case .markup: "Markup"
    case .list: "list"
    case .tuple(let list): list.isGroup ? "_GroupTuple" : "tuple"
    case .dictionary: "dict"
    case .range: "range"
    case .view(_, let kind): kind.rawValue
    case .reference(let reference):
      switch reference.kind {
      case .namespace: "TemplateNamespace"
      case .macro: "Macro"
      case .loop: "LoopContext"
      case .cycler: "Cycler"
      case .joiner: "Joiner"
      case .iterator: "generator"
      }
    case .method(.none, "range"), .method(.none, "raise_exception"),
      .method(.none, "strftime_now"):
      "function"
    case .method(.none, "dict"): "TemplateDict"
    case .method(.none, _): "type"
    case .method(.reference, _): "method"
    case .method: "builtin_function_or_method"
    }
  }

  /// How jinja2 names the object in "… has no attribute …".
  var objectName: String {
    switch self {
    case .none: "None"
    case .markup: "markupsafe.Markup object"
    case .tuple(let list) where list.isGroup: "jinja2.filters._GroupTuple object"
    case .reference(let reference):
      switch reference.kind {
      case .namespace: "transformers.utils.chat_template_utils.TemplateNamespace object"
      case .macro, .loop: "jinja2.runtime.\(typeName) object"
      case .cycler, .joiner: "jinja2.utils.\(typeName) object"
      case .iterator: "generator object"
      }
    default: "\(typeName) object"
    }
  }
}
