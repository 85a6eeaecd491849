/// Statements, one function each so that the frames of the recursion stay small.
extension JinjaInterpreter {
  func execute(_ body: [JinjaStatement]) throws -> Flow {
    for statement in body {
      try spend()
      line = statement.line
      let flow = try deeper { try execute(statement) }
      if flow != .next { return flow }
    }
    return .next
  }

  private func execute(_ statement: JinjaStatement) throws -> Flow {
    switch statement.kind {
    case .text(let text): try write(text)
    case .output(let expression): try output(expression)
    case .branch(let arms, let otherwise): return try branch(arms, otherwise)
    case .loop(let loop): try start(loop)
    case .set(let target, let value):
      try checkNamespaces(target)
      if try !append(target, value) { try assign(target, evaluate(value)) }
    case .capture(let target, let steps, let frame):
      try assign(target, .string(filtered(frame, steps)))
    case .macro(let macro): if let name = macro.name { scope.values[name] = define(macro) }
    case .callBlock(let caller, let call): try write(callWithCaller(caller, call))
    case .filterBlock(let steps, let frame): try write(filtered(frame, steps))
    case .with(let bindings, let frame): return try with(bindings, frame)
    case .generation(let macro): try generation(macro)
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .next
  }

  private func output(_ expression: JinjaExpression) throws {
    let value = try evaluate(expression)
    if let text = value.asText { return try write(text) }
    try write(text(value))
  }

  private func branch(
    _ arms: [(condition: JinjaExpression, body: [JinjaStatement])], _ otherwise: [JinjaStatement]
  ) throws -> Flow {
    for arm in arms where try evaluate(arm.condition).isTrue { return try execute(arm.body) }
    return try execute(otherwise)
  }

  private func with(
    _ bindings: [(target: JinjaTarget, value: JinjaExpression)], _ frame: JinjaFrame
  ) throws -> Flow {
    let values = try bindings.map { try evaluate($0.value) }
    return try scoped(frame.names) {
      for (binding, value) in zip(bindings, values) { try assign(binding.target, value) }
      return try execute(frame.body)
    }
  }

  private func filtered(_ frame: JinjaFrame, _ steps: [JinjaFilterStep]) throws -> String {
    try scoped(frame.names) {
      let body = try capture { _ = try execute(frame.body) }
      var value = JinjaValue.string(body)
      for step in steps { value = try filter(step.name, value, evaluate(step.arguments)) }
      return try text(value)
    }
  }

  private func generation(_ macro: JinjaMacro) throws {
    try scoped(macro.frame.names) {
      if macro.usesCaller { scope.values["caller"] = .undefined("No caller defined") }
      if macro.usesNamed { scope.values["kwargs"] = .dictionary(JinjaDictionary()) }
      if macro.usesPositional { scope.values["varargs"] = .tuple([]) }
      _ = try execute(macro.frame.body)
    }
  }

  private func callWithCaller(_ caller: JinjaMacro, _ call: JinjaExpression) throws -> String {
    guard case .call(let callee, let arguments) = call else {
      throw JinjaFault.type("a call block needs a call")
    }
    let function = try evaluate(callee)
    var given = try evaluate(arguments)
    given.named.append(("caller", define(caller)))
    return try text(self.call(function, given))
  }

  // MARK: Assignment

  func assign(_ target: JinjaTarget, _ value: JinjaValue) throws {
    switch target {
    case .name(let name): scope.values[name] = value
    case .attribute(let name, let member):
      guard case .reference(let reference) = lookUp(name), reference.kind == .namespace else {
        throw JinjaFault.type("cannot assign attribute on non-namespace object")
      }
      try checkMember(member)
      namespaces[reference.index][member] = value
    case .tuple(let targets):
      let values = try unpacked(value, count: targets.count)
      for (target, value) in zip(targets, values) { try assign(target, value) }
    }
  }

  /// Before the value is evaluated.
  private func checkNamespaces(_ target: JinjaTarget) throws {
    switch target {
    case .name: break
    case .attribute(let name, _):
      guard case .reference(let reference) = lookUp(name), reference.kind == .namespace else {
        throw JinjaFault.type("cannot assign attribute on non-namespace object")
      }
    case .tuple(let targets): for part in targets { try checkNamespaces(part) }
    }
  }

  func checkMember(_ name: String) throws {
    guard !name.hasPrefix("_") else {
      throw JinjaFault.type(
        "Chat templates cannot store underscore-prefixed attributes on a namespace, but got "
          + "\(JinjaText.quoted(name)). Please rename the attribute.")
    }
  }

  private func unpacked(_ value: JinjaValue, count: Int) throws -> [JinjaValue] {
    guard let iterator = try iterator(value, orNil: true) else {
      throw JinjaFault.type("cannot unpack non-iterable \(value.typeName) object")
    }
    var values: [JinjaValue] = []
    while let next = try iterator.next() {
      guard values.count < count else {
        throw JinjaFault.type("too many values to unpack (expected \(count))")
      }
      values.append(next)
    }
    guard values.count == count else {
      throw JinjaFault.type("not enough values to unpack (expected \(count), got \(values.count))")
    }
    return values
  }
}
