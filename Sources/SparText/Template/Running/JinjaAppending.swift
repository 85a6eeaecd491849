/// `x = x + a + b` and `x = x ~ a` on a text append in place, so that a template that collects its
/// output this way takes linear time.
extension JinjaInterpreter {
  /// False where the statement is of another form, and nothing happened.
  func append(_ target: JinjaTarget, _ value: JinjaExpression) throws -> Bool {
    let first: JinjaExpression
    let parts: [JinjaExpression]
    let isJoin: Bool
    switch value {
    case .arithmetic(let left, let operations) where operations.allSatisfy({ $0.symbol == "+" }):
      (first, parts, isJoin) = (left, operations.map(\.right), false)
    case .concatenation(let all):
      (first, parts, isJoin) = (all[0], Array(all.dropFirst()), true)
    default: return false
    }
    guard Self.names(target, first), parts.allSatisfy(JinjaNames.callsOnlyMethods),
      case .string = try evaluate(first)
    else { return false }
    var added: [String] = []
    for (i, part) in parts.enumerated() {
      let part = try evaluate(part)
      if isJoin {
        added.append(try text(part))
      } else if case .string(let text) = part {
        added.append(text)
      } else {
        var sum = try combine(evaluate(first), "+", .string(added.joined()))
        sum = try combine(sum, "+", part)
        for rest in parts[(i + 1)...] { sum = try combine(sum, "+", evaluate(rest)) }
        try assign(target, sum)
        return true
      }
    }
    try make(bytes: added.reduce(0) { $0 + $1.utf8.count })
    try change(target) { text in
      for part in added { text += part }
    }
    return true
  }

  private static func names(_ target: JinjaTarget, _ value: JinjaExpression) -> Bool {
    switch (target, value) {
    case (.name(let name), .name(let other)): name == other
    case (.attribute(let name, let member), .attribute(.name(let other), let field)):
      name == other && member == field
    default: false
    }
  }

  /// Takes the text out of its place, so that nothing else holds it and appending copies nothing.
  private func change(_ target: JinjaTarget, _ body: (inout String) -> Void) throws {
    var text = ""
    switch target {
    case .name(let name):
      if case .string(let old) = lookUp(name) { text = old }
      if scope.values[name] != nil { scope.values[name] = JinjaValue.none }
      body(&text)
      scope.values[name] = .string(text)
    case .attribute(let name, let member):
      guard case .reference(let reference) = lookUp(name), reference.kind == .namespace else {
        throw JinjaFault.type("cannot assign attribute on non-namespace object")
      }
      text = namespaces[reference.index].takeText(member) ?? ""
      body(&text)
      namespaces[reference.index][member] = .string(text)
    case .tuple: break
    }
    guard text.utf8.count <= limits.outputBytes else { return try make(bytes: text.utf8.count) }
  }
}

extension JinjaNames {
  /// No macro or function is called, which might change what is appended to.
  static func callsOnlyMethods(_ expression: JinjaExpression) -> Bool {
    if case .call(let callee, _) = expression {
      guard case .attribute(_, let name) = callee, JinjaLibrary.methods.contains(name) else {
        return false
      }
    }
    var holds = true
    forEachPart(of: expression) { part in
      if holds { holds = callsOnlyMethods(part) }
    }
    return holds
  }
}
