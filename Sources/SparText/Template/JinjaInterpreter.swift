import Foundation

/// Limits that keep a template from running or writing for ever.
public struct JinjaLimits: Equatable, Sendable {
  /// One for each expression, statement and turn of a loop, and one for each 64 bytes that an
  /// operation on text or lists copies. A long conversation needs some ten thousand.
  public var steps = 5_000_000
  /// Bytes of text, rendered or captured on the way.
  public var outputBytes = 64 << 20
  /// Nested evaluations, macros calling macros included.
  public var depth = 200

  public init() {}
}

/// Runs a template once. Holds what values refer to: scopes, namespaces, macros, loops.
final class JinjaInterpreter {
  enum Flow { case next, breakLoop, continueLoop }

  struct Macro {
    var definition: JinjaMacro
    /// The scopes that the macro sees besides its own: those around its definition.
    var depth: Int
  }

  struct Loop {
    var items: [JinjaValue]
    var index = 0
    var depth: Int
    var statement: JinjaLoop
    var changed: JinjaValue?
  }

  let limits: JinjaLimits
  /// Time for `strftime_now`.
  let now: Date
  var scopes: [[String: JinjaValue]]
  var namespaces: [JinjaDictionary] = []
  var macros: [Macro] = []
  var loops: [Loop] = []
  var cyclers: [(items: [JinjaValue], place: Int)] = []
  var joiners: [(separator: String, isUsed: Bool)] = []
  private(set) var line = 0
  private var steps = 0
  private var depth = 0
  private var written = 0
  private var out: [UInt8] = []

  init(variables: [String: JinjaValue], limits: JinjaLimits, now: Date) {
    scopes = [variables]
    self.limits = limits
    self.now = now
  }

  func run(_ body: [JinjaStatement]) throws -> String {
    _ = try execute(body)
    return String(decoding: out, as: UTF8.self)
  }

  // MARK: Budgets

  /// Counts one step, and one more for each 64 bytes.
  func spend(bytes: Int = 0) throws {
    steps += 1 + bytes >> 6
    guard steps <= limits.steps else {
      throw JinjaFault(
        "the template takes more than \(limits.steps) steps",
        cure: "it probably loops without end; look at its ranges and recursive macros")
    }
  }

  func deeper<Value>(_ body: () throws -> Value) throws -> Value {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else {
      throw JinjaFault(
        "more than \(limits.depth) nested evaluations",
        cure: "a macro that calls itself needs a case that ends")
    }
    return try body()
  }

  private func write(_ text: String) throws {
    var text = text
    written += text.utf8.count
    guard written <= limits.outputBytes else {
      throw JinjaFault(
        "the template writes more than \(limits.outputBytes) bytes",
        cure: "it probably loops without end")
    }
    text.withUTF8 { out.append(contentsOf: $0) }
  }

  /// What `body` writes, instead of writing it.
  func capture(_ body: () throws -> Void) throws -> String {
    let outer = out
    out = []
    defer { out = outer }
    try body()
    return String(decoding: out, as: UTF8.self)
  }

  func scoped<Value>(_ body: () throws -> Value) throws -> Value {
    scopes.append([:])
    defer { scopes.removeLast() }
    return try body()
  }

  // MARK: Statements

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
    case .output(let expression): try write(evaluate(expression).text)
    case .branch(let arms, let otherwise): return try branch(arms, otherwise)
    case .loop(let loop):
      let items = try evaluate(loop.iterable)
      try run(loop, over: items)
    case .set(let target, let value): try assign(target, evaluate(value))
    case .capture(let target, let steps, let body):
      try assign(target, .string(filtered(body, steps)))
    case .macro(let macro):
      scopes[scopes.count - 1][macro.name] = define(macro, .macro)
    case .callBlock(let caller, let call): try write(callWithCaller(caller, call))
    case .filterBlock(let steps, let body): try write(filtered(body, steps))
    case .with(let bindings, let body): return try with(bindings, body)
    case .generation(let body): return try scoped { try execute(body) }
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .next
  }

  private func branch(
    _ arms: [(condition: JinjaExpression, body: [JinjaStatement])], _ otherwise: [JinjaStatement]
  ) throws -> Flow {
    for arm in arms where try evaluate(arm.condition).isTrue { return try execute(arm.body) }
    return try execute(otherwise)
  }

  private func with(
    _ bindings: [(target: JinjaTarget, value: JinjaExpression)], _ body: [JinjaStatement]
  ) throws -> Flow {
    let values = try bindings.map { try evaluate($0.value) }
    return try scoped {
      for (binding, value) in zip(bindings, values) { try assign(binding.target, value) }
      return try execute(body)
    }
  }

  private func filtered(_ body: [JinjaStatement], _ steps: [JinjaFilterStep]) throws -> String {
    let text = try capture { _ = try scoped { try execute(body) } }
    var value = JinjaValue.string(text)
    for step in steps { value = try filter(step.name, value, evaluate(step.arguments)) }
    return value.text
  }

  func assign(_ target: JinjaTarget, _ value: JinjaValue) throws {
    switch target {
    case .name(let name): scopes[scopes.count - 1][name] = value
    case .attribute(let name, let member):
      guard case .reference(let reference) = lookUp(name), reference.kind == .namespace else {
        throw JinjaFault.type("cannot assign attribute on non-namespace object")
      }
      namespaces[reference.index][member] = value
    case .tuple(let targets):
      let values = try elements(value)
      guard values.count == targets.count else {
        throw JinjaFault.type(
          values.count > targets.count
            ? "too many values to unpack (expected \(targets.count))"
            : "not enough values to unpack (expected \(targets.count), got \(values.count))")
      }
      for (target, value) in zip(targets, values) { try assign(target, value) }
    }
  }

  // MARK: Loops

  /// The loop filter sees the target but not `loop`; the body sees both, in a scope of its own
  /// for each turn.
  func run(_ loop: JinjaLoop, over value: JinjaValue, depth: Int = 1) throws {
    var items = try elements(value)
    if let condition = loop.condition {
      var kept: [JinjaValue] = []
      for item in items {
        try spend()
        let keeps = try scoped {
          try assign(loop.target, item)
          return try evaluate(condition).isTrue
        }
        if keeps { kept.append(item) }
      }
      items = kept
    }
    guard !items.isEmpty else {
      _ = try scoped { try execute(loop.otherwise) }
      return
    }
    let place = loops.count
    loops.append(Loop(items: items, depth: depth, statement: loop, changed: nil))
    defer { loops.removeSubrange(place...) }
    for (index, item) in items.enumerated() {
      try spend()
      loops[place].index = index
      let flow = try scoped {
        scopes[scopes.count - 1]["loop"] = .reference(JinjaReference(kind: .loop, index: place))
        try assign(loop.target, item)
        return try execute(loop.body)
      }
      if flow == .breakLoop { break }
    }
  }

  /// `loop(children)` of a recursive loop.
  func recurse(_ place: Int, _ value: JinjaValue) throws -> JinjaValue {
    let outer = loops[place]
    guard outer.statement.isRecursive else {
      throw JinjaFault(
        "The loop must have the 'recursive' marker to be called recursively.",
        cure: "write {% for … recursive %}")
    }
    return .string(
      try capture { try deeper { try run(outer.statement, over: value, depth: outer.depth + 1) } })
  }

  // MARK: Macros

  func define(_ macro: JinjaMacro, _ kind: JinjaReference.Kind) -> JinjaValue {
    macros.append(Macro(definition: macro, depth: scopes.count))
    return .reference(JinjaReference(kind: kind, index: macros.count - 1))
  }

  private func callWithCaller(_ caller: JinjaMacro, _ call: JinjaExpression) throws -> String {
    guard case .call(let callee, let arguments) = call else {
      throw JinjaFault.type("a call block needs a call")
    }
    var values = try evaluate(arguments)
    let macro = try evaluate(callee)
    values.named.append(("caller", define(caller, .caller)))
    return try self.call(macro, values).text
  }

  func invoke(_ index: Int, _ given: JinjaCall) throws -> JinjaValue {
    let macro = macros[index]
    var scope: [String: JinjaValue] = [:]
    let parameters = macro.definition.parameters
    var extra = JinjaDictionary()
    for (name, value) in given.named {
      if name == "caller" || parameters.contains(where: { $0.name == name }) {
        scope[name] = value
      } else {
        extra[name] = value
      }
    }
    for (parameter, value) in zip(parameters, given.positional) { scope[parameter.name] = value }
    scope["varargs"] = .tuple(Array(given.positional.dropFirst(parameters.count)))
    scope["kwargs"] = .dictionary(extra)
    let outer = scopes
    scopes = Array(scopes.prefix(macro.depth)) + [scope]
    defer { scopes = outer }
    for parameter in parameters where scope[parameter.name] == nil {
      let value = try parameter.fallback.map { try evaluate($0) }
      scopes[scopes.count - 1][parameter.name] =
        value ?? .undefined("parameter '\(parameter.name)' was not provided")
    }
    let called = line
    let text = try capture { _ = try execute(macro.definition.body) }
    line = called
    return .string(text)
  }
}
