import Foundation

/// Names of one running frame.
final class JinjaScope {
  let parent: JinjaScope?
  var values: [String: JinjaValue] = [:]

  init(parent: JinjaScope?) {
    self.parent = parent
  }

  func find(_ name: String) -> JinjaValue? {
    var scope: JinjaScope? = self
    while let here = scope {
      if let value = here.values[name] { return value }
      scope = here.parent
    }
    return nil
  }
}

/// Runs a template once. Holds what values refer to: scopes, namespaces, macros, loops.
final class JinjaInterpreter {
  enum Flow { case next, breakLoop, continueLoop }

  struct Macro {
    var definition: JinjaMacro
    var scope: JinjaScope
  }

  let limits: JinjaLimits
  /// Time for `strftime_now`.
  let now: Date
  /// What the caller of the rendering gave.
  let variables: [String: JinjaValue]
  var scope = JinjaScope(parent: nil)
  var namespaces: [JinjaDictionary] = []
  var macros: [Macro] = []
  /// Loops that run, by number.
  var loops: [Int: JinjaLoopState] = [:]
  var loopCount = 0
  var iterators: [JinjaIterator] = []
  var cyclers: [(items: [JinjaValue], place: Int)] = []
  var joiners: [(separator: JinjaValue, isUsed: Bool)] = []
  var line = 0
  private var steps = 0
  private var made = 0
  private var depth = 0
  private var written = 0
  private var out: [UInt8] = []

  init(variables: [String: JinjaValue], limits: JinjaLimits, now: Date) {
    self.variables = variables
    self.limits = limits
    self.now = now
  }

  func run(_ frame: JinjaFrame) throws -> String {
    enter(frame.names)
    _ = try execute(frame.body)
    return String(decoding: out, as: UTF8.self)
  }

  // MARK: Budgets

  /// Counts one step, and one more for each 64 bytes that are looked at.
  func spend(bytes: Int = 0) throws {
    steps += 1 + max(0, bytes) >> 6
    guard steps <= limits.steps else {
      throw JinjaFault(
        "the template takes more than \(limits.steps) steps",
        cure: "it probably loops without end; look at its ranges and recursive macros")
    }
  }

  /// Counts a text or list that is made. Called before, so that nothing huge comes to be.
  func make(bytes: Int) throws {
    guard bytes <= limits.outputBytes else {
      throw JinjaFault(
        "a value of more than \(limits.outputBytes) bytes",
        cure: "no prompt needs that; the template is wrong or hostile")
    }
    try spend(bytes: bytes)
    made += max(0, bytes)
    guard made <= limits.memoryBytes else {
      throw JinjaFault(
        "the template makes values of more than \(limits.memoryBytes) bytes",
        cure: "it probably copies a long list or text again and again")
    }
  }

  /// The same for a list.
  func make(elements count: Int) throws {
    let size = count.multipliedReportingOverflow(by: MemoryLayout<JinjaValue>.stride)
    try make(bytes: size.overflow ? .max : size.partialValue)
  }

  func list(_ elements: [JinjaValue]) throws -> JinjaValue {
    .list(try checked(JinjaList(elements)))
  }

  func tuple(_ elements: [JinjaValue]) throws -> JinjaValue {
    .tuple(try checked(JinjaList(elements)))
  }

  private func checked(_ list: JinjaList) throws -> JinjaList {
    try checkNesting(list.depth)
    return list
  }

  func checkNesting(_ depth: Int32) throws {
    guard depth <= limits.nesting else {
      throw JinjaFault(
        "lists nested more than \(limits.nesting) deep",
        cure: "the template wraps a value into itself again and again")
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

  // MARK: Output

  func write(_ text: String) throws {
    var text = text
    written += text.utf8.count
    try spend(bytes: text.utf8.count)
    guard written <= limits.outputBytes else {
      throw JinjaFault(
        "the template writes more than \(limits.outputBytes) bytes",
        cure: "it probably loops without end")
    }
    text.withUTF8 { out.append(contentsOf: $0) }
  }

  /// What `body` writes, instead of writing it.
  func capture(_ body: () throws -> Void) throws -> String {
    var outer: [UInt8] = []
    swap(&outer, &out)
    defer { swap(&outer, &out) }
    try body()
    try make(bytes: out.count)
    return String(decoding: out, as: UTF8.self)
  }

  // MARK: Scopes

  /// Gives the names of the frame whose scope was just opened their first values.
  func enter(_ names: [JinjaName]) {
    for name in names {
      switch name.origin {
      case .parameter: break
      case .nothing: scope.values[name.name] = .undefined("'\(name.name)' is undefined")
      case .variable: scope.values[name.name] = variable(name.name)
      case .outer: scope.values[name.name] = scope.parent?.find(name.name) ?? variable(name.name)
      }
    }
  }

  func scoped<Value>(_ names: [JinjaName], _ body: () throws -> Value) throws -> Value {
    let outer = scope
    scope = JinjaScope(parent: outer)
    defer { scope = outer }
    enter(names)
    return try body()
  }

  private func variable(_ name: String) -> JinjaValue {
    if let value = variables[name] { return value }
    // A function is a method of nothing.
    if JinjaLibrary.functions.contains(name) { return .method(.none, name) }
    return .undefined("'\(name)' is undefined")
  }

  func lookUp(_ name: String) -> JinjaValue { scope.find(name) ?? variable(name) }
}
