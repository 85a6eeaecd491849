/// Which frame a name belongs to, decided before anything runs, as jinja2's compiler does it:
/// a name that a frame sets anywhere is the frame's own from its start. It begins with what the
/// outer frame holds, else with the variable of that name where it is read first or set in a
/// branch only, else with nothing. Source: jinja2 3.1 `idtracking.py`.
struct JinjaScoping {
  /// The names of one frame while its statements are visited in order.
  private struct Symbols {
    /// Names of the frames around this one.
    var outer: Set<String>
    var origins: [String: JinjaName.Origin] = [:]
    var order: [String] = []
    var stored: Set<String> = []

    var visible: Set<String> { outer.union(origins.keys) }
    var names: [JinjaName] {
      order.compactMap { name in origins[name].map { JinjaName(name: name, origin: $0) } }
    }

    private mutating func define(_ name: String, _ origin: JinjaName.Origin) {
      if origins.updateValue(origin, forKey: name) == nil { order.append(name) }
    }

    mutating func declare(_ name: String) {
      stored.insert(name)
      define(name, .parameter)
    }

    mutating func store(_ name: String) {
      stored.insert(name)
      if origins[name] == nil { define(name, outer.contains(name) ? .outer : .nothing) }
    }

    mutating func load(_ name: String) {
      if origins[name] == nil, !outer.contains(name) { define(name, .variable) }
    }

    mutating func join(_ branches: [Symbols]) {
      var stores: Set<String> = []
      for branch in branches { stores.formUnion(branch.stored) }
      stores.subtract(stored)
      for branch in branches {
        for name in branch.order {
          if let origin = branch.origins[name] { define(name, origin) }
        }
        stored.formUnion(branch.stored)
      }
      for name in stores { define(name, outer.contains(name) ? .outer : .variable) }
    }
  }

  static func resolve(_ body: [JinjaStatement]) -> JinjaFrame {
    var symbols = Symbols(outer: [])
    visit(body, &symbols)
    return JinjaFrame(
      body: frames(of: body, inside: symbols.visible), names: symbols.names)
  }

  // MARK: One frame

  private static func visit(_ body: [JinjaStatement], _ symbols: inout Symbols) {
    for statement in body { visit(statement, &symbols) }
  }

  private static func visit(_ statement: JinjaStatement, _ symbols: inout Symbols) {
    switch statement.kind {
    case .text, .breakLoop, .continueLoop, .generation: break
    case .output(let value): load(value, &symbols)
    case .branch(let arms, let otherwise): branch(arms[...], otherwise, &symbols)
    case .loop(let loop): load(loop.iterable, &symbols)
    case .set(let target, let value):
      load(value, &symbols)
      store(target, &symbols)
    case .capture(let target, _, _): store(target, &symbols)
    case .macro(let macro): if let name = macro.name { symbols.store(name) }
    case .callBlock(_, let call): load(call, &symbols)
    case .filterBlock(let steps, _): load(steps, &symbols)
    case .with(let bindings, _):
      for binding in bindings { load(binding.value, &symbols) }
    }
  }

  /// An `elif` counts as an `if` inside the `else` of the one before.
  private static func branch(
    _ arms: ArraySlice<(condition: JinjaExpression, body: [JinjaStatement])>,
    _ otherwise: [JinjaStatement], _ symbols: inout Symbols
  ) {
    guard let first = arms.first else { return }
    load(first.condition, &symbols)
    var (body, others, last) = (symbols, symbols, symbols)
    visit(first.body, &body)
    for arm in arms.dropFirst() { branch([arm], [], &others) }
    visit(otherwise, &last)
    symbols.join([body, others, last])
  }

  private static func store(
    _ target: JinjaTarget, _ symbols: inout Symbols, isParameter: Bool = false
  ) {
    switch target {
    case .name(let name): isParameter ? symbols.declare(name) : symbols.store(name)
    case .attribute(let name, _): symbols.load(name)
    case .tuple(let targets):
      for target in targets { store(target, &symbols, isParameter: isParameter) }
    }
  }

  private static func load(_ expression: JinjaExpression, _ symbols: inout Symbols) {
    JinjaNames.forEachName(in: expression) { symbols.load($0) }
  }

  private static func load(_ steps: [JinjaFilterStep], _ symbols: inout Symbols) {
    for step in steps { JinjaNames.forEachName(in: step.arguments) { symbols.load($0) } }
  }

  // MARK: Frames inside

  private static func frames(
    of body: [JinjaStatement], inside outer: Set<String>
  ) -> [JinjaStatement] {
    body.map { statement in
      var statement = statement
      switch statement.kind {
      case .text, .output, .set, .breakLoop, .continueLoop: break
      case .branch(let arms, let otherwise):
        statement.kind = .branch(
          arms.map { ($0.condition, frames(of: $0.body, inside: outer)) },
          otherwise: frames(of: otherwise, inside: outer))
      case .loop(let loop): statement.kind = .loop(resolved(loop, outer))
      case .capture(let target, let steps, let frame):
        var symbols = Symbols(outer: outer)
        visit(frame.body, &symbols)
        load(steps, &symbols)
        statement.kind = .capture(target, steps, finished(frame, symbols))
      case .macro(let macro): statement.kind = .macro(resolved(macro, outer))
      case .generation(let macro): statement.kind = .generation(resolved(macro, outer))
      case .callBlock(let macro, let call):
        statement.kind = .callBlock(resolved(macro, outer), call)
      case .filterBlock(let steps, let frame):
        var symbols = Symbols(outer: outer)
        visit(frame.body, &symbols)
        load(steps, &symbols)
        statement.kind = .filterBlock(steps, finished(frame, symbols))
      case .with(let bindings, let frame):
        var symbols = Symbols(outer: outer)
        for binding in bindings { store(binding.target, &symbols, isParameter: true) }
        visit(frame.body, &symbols)
        statement.kind = .with(bindings, finished(frame, symbols))
      }
      return statement
    }
  }

  private static func finished(_ frame: JinjaFrame, _ symbols: Symbols) -> JinjaFrame {
    JinjaFrame(body: frames(of: frame.body, inside: symbols.visible), names: symbols.names)
  }

  private static func resolved(_ given: JinjaLoop, _ outer: Set<String>) -> JinjaLoop {
    var loop = given
    loop.usesLoop =
      loop.isRecursive || !JinjaNames.free(in: loop.frame.body, among: ["loop"]).isEmpty
    var symbols = Symbols(outer: outer)
    if loop.usesLoop { symbols.declare("loop") }
    store(loop.target, &symbols, isParameter: true)
    visit(loop.frame.body, &symbols)
    loop.frame = finished(loop.frame, symbols)

    var others = Symbols(outer: outer)
    visit(loop.otherwise.body, &others)
    loop.otherwise = finished(loop.otherwise, others)

    if let condition = loop.condition {
      var symbols = Symbols(outer: outer)
      store(loop.target, &symbols, isParameter: true)
      load(condition, &symbols)
      loop.conditionNames = symbols.names
    }
    return loop
  }

  private static func resolved(_ given: JinjaMacro, _ outer: Set<String>) -> JinjaMacro {
    var macro = given
    let special = JinjaNames.free(
      in: macro.frame.body, among: ["caller", "kwargs", "varargs"])
    let own = Set(macro.parameters.map(\.name))
    macro.usesCaller = special.contains("caller")
    macro.usesNamed = special.contains("kwargs") && !own.contains("kwargs")
    macro.usesPositional = special.contains("varargs") && !own.contains("varargs")
    var symbols = Symbols(outer: outer)
    for parameter in macro.parameters { symbols.declare(parameter.name) }
    for parameter in macro.parameters {
      if let fallback = parameter.fallback { load(fallback, &symbols) }
    }
    if macro.usesCaller { symbols.declare("caller") }
    if macro.usesNamed { symbols.declare("kwargs") }
    if macro.usesPositional { symbols.declare("varargs") }
    visit(macro.frame.body, &symbols)
    macro.frame = finished(macro.frame, symbols)
    return macro
  }
}
