/// A loop that runs: what `loop` knows. Source: jinja2 3.1 `LoopContext`.
final class JinjaLoopState {
  let statement: JinjaLoop
  let depth: Int
  /// The scope around the loop, for its recursion.
  let scope: JinjaScope
  private var source: JinjaIterator
  private var length: Int?
  private(set) var index = -1
  private(set) var previous: JinjaValue?
  private(set) var current: JinjaValue?
  private var peeked: JinjaValue?
  var changed: [JinjaValue]?

  init(statement: JinjaLoop, depth: Int, scope: JinjaScope, source: JinjaIterator) {
    self.statement = statement
    self.depth = depth
    self.scope = scope
    self.source = source
    length = source.count
  }

  func advance() throws -> JinjaValue? {
    let next = try peeked ?? source.next()
    peeked = nil
    guard let next else { return nil }
    index += 1
    previous = current
    current = next
    return next
  }

  func peek() throws -> JinjaValue? {
    if peeked == nil { peeked = try source.next() }
    return peeked
  }

  /// Of a source that does not know its length, the rest is read to count it.
  func count() throws -> Int {
    if let length { return length }
    let rest = try source.rest()
    let count = rest.count + index + 1 + (peeked == nil ? 0 : 1)
    source = JinjaIterator(elements: rest)
    length = count
    return count
  }
}

extension JinjaInterpreter {
  func start(_ loop: JinjaLoop) throws {
    let values = try evaluate(loop.iterable)
    if loop.isRecursive {
      try write(capture { try run(loop, over: values, depth: 1, in: scope) })
    } else {
      try run(loop, over: values, depth: 1, in: scope)
    }
  }

  private func run(
    _ loop: JinjaLoop, over values: JinjaValue, depth: Int, in outer: JinjaScope
  ) throws {
    let caller = scope
    defer { scope = caller }
    let source = try kept(loop, iterator(values), in: outer)
    let state = JinjaLoopState(statement: loop, depth: depth, scope: outer, source: source)
    let number = loopCount
    loopCount += 1
    loops[number] = state
    defer { loops[number] = nil }
    // As in jinja2, `else` runs unless some turn came to its end: one that every turn leaves by
    // `continue` or `break` does not count.
    var isComplete = false
    while let item = try state.advance() {
      try spend()
      scope = JinjaScope(parent: outer)
      if loop.usesLoop {
        scope.values["loop"] = .reference(JinjaReference(kind: .loop, index: number))
      }
      try assign(loop.target, item)
      enter(loop.frame.names)
      let flow = try execute(loop.frame.body)
      if flow == .next { isComplete = true }
      if flow == .breakLoop { break }
    }
    guard !isComplete, !loop.otherwise.body.isEmpty else { return }
    scope = outer
    _ = try scoped(loop.otherwise.names) { try execute(loop.otherwise.body) }
  }

  /// Only what the loop's condition holds for; it sees the target, not `loop`.
  private func kept(
    _ loop: JinjaLoop, _ source: JinjaIterator, in outer: JinjaScope
  ) throws -> JinjaIterator {
    guard let condition = loop.condition else { return source }
    return JinjaIterator(typeName: "generator") { [unowned self] in
      let caller = scope
      defer { scope = caller }
      while let item = try source.next() {
        try spend()
        scope = JinjaScope(parent: outer)
        try assign(loop.target, item)
        enter(loop.conditionNames)
        if try evaluate(condition).isTrue { return item }
      }
      return nil
    }
  }

  func loop(_ reference: JinjaReference) throws -> JinjaLoopState {
    guard let state = loops[reference.index] else {
      throw JinjaFault(
        "a loop that is over is not supported in chat templates",
        cure: "keep the value that you need, not `loop` itself")
    }
    return state
  }

  /// `loop(children)` of a recursive loop.
  func recurse(_ reference: JinjaReference, _ given: JinjaCall) throws -> JinjaValue {
    let outer = try loop(reference)
    let values = try given.bind("LoopContext.__call__", required: ["iterable"])[0]
    guard outer.statement.isRecursive else {
      throw JinjaFault(
        "The loop must have the 'recursive' marker to be called recursively.",
        cure: "write {% for … recursive %}")
    }
    let called = line
    defer { line = called }
    return .string(
      try capture {
        try deeper {
          try run(
            outer.statement, over: values ?? .none, depth: outer.depth + 1, in: outer.scope)
        }
      })
  }

  func member(of state: JinjaLoopState, _ name: String, _ base: JinjaValue) throws -> JinjaValue? {
    switch name {
    case "index": return .integer(state.index + 1)
    case "index0": return .integer(state.index)
    case "revindex": return .integer(try state.count() - state.index)
    case "revindex0": return .integer(try state.count() - state.index - 1)
    case "first": return .boolean(state.index == 0)
    case "last": return .boolean(try state.peek() == nil)
    case "length": return .integer(try state.count())
    case "depth": return .integer(state.depth)
    case "depth0": return .integer(state.depth - 1)
    case "previtem": return state.previous ?? .undefined("there is no previous item")
    case "nextitem": return try state.peek() ?? .undefined("there is no next item")
    case "cycle", "changed": return .method(base, name)
    default: return nil
    }
  }

  func method(of state: JinjaLoopState, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    guard given.named.isEmpty else {
      throw JinjaFault.type(
        "LoopContext.\(name)() got an unexpected keyword argument '\(given.named[0].name)'")
    }
    if name == "cycle" {
      guard !given.positional.isEmpty else {
        throw JinjaFault.type("no items for cycling given")
      }
      return given.positional[state.index % given.positional.count]
    }
    if let last = state.changed, try equal(.tuple(last), .tuple(given.positional)) {
      return .boolean(false)
    }
    state.changed = given.positional
    return .boolean(true)
  }
}
