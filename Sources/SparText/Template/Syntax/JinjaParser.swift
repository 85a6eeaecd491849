/// Tokens → statements. Source: jinja2 3.1 `parser.py`; transformers' `generation` block and the
/// loop controls `break` and `continue` included.
struct JinjaParser {
  /// Nested tags and brackets; real templates stay below 20.
  static let maximumDepth = 100

  private let tokens: [JinjaToken]
  private var at = 0
  var depth = 0
  private var loops = 0

  static func parse(_ source: String) throws(JinjaSyntaxError) -> JinjaFrame {
    var parser = JinjaParser(tokens: try JinjaLexer.tokens(source))
    let (body, _) = try parser.statements(until: [], opened: nil)
    try JinjaChecks.check(body)
    return JinjaScoping.resolve(body)
  }

  private init(tokens: [JinjaToken]) {
    self.tokens = tokens
  }

  // MARK: The token under the cursor

  /// The lexer closes every list with `.end`, and `advance` never passes it.
  var current: JinjaToken { tokens[at] }

  var following: JinjaToken { tokens[min(at + 1, tokens.count - 1)] }

  mutating func advance() {
    if at < tokens.count - 1 { at += 1 }
  }

  func failure(_ what: String, line: Int? = nil) -> JinjaSyntaxError {
    JinjaSyntaxError(what: what, line: line ?? current.line)
  }

  func isSymbol(_ text: String) -> Bool { current.kind == .symbol(text) }

  func isName(_ text: String) -> Bool { current.kind == .name(text) }

  mutating func take(symbol text: String) -> Bool {
    guard isSymbol(text) else { return false }
    advance()
    return true
  }

  mutating func take(name text: String) -> Bool {
    guard isName(text) else { return false }
    advance()
    return true
  }

  mutating func expect(symbol text: String) throws(JinjaSyntaxError) {
    guard take(symbol: text) else {
      throw failure("expected '\(text)', got '\(current.spelling)'")
    }
  }

  mutating func expectName() throws(JinjaSyntaxError) -> String {
    guard case .name(let name) = current.kind else {
      throw failure("expected a name, got '\(current.spelling)'")
    }
    advance()
    return name
  }

  mutating func nested<Value>(
    _ body: (inout JinjaParser) throws(JinjaSyntaxError) -> Value
  ) throws(JinjaSyntaxError) -> Value {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else {
      throw failure("more than \(Self.maximumDepth) nested tags and brackets")
    }
    return try body(&self)
  }

  private mutating func expectBlockEnd() throws(JinjaSyntaxError) {
    guard current.kind == .blockEnd else {
      throw failure("expected the end of the tag, got '\(current.spelling)'")
    }
    advance()
  }

  // MARK: Statements

  /// Statements up to a tag named in `ends`; that tag's name is eaten and returned.
  private mutating func statements(
    until ends: [String], opened: JinjaToken?
  ) throws(JinjaSyntaxError) -> ([JinjaStatement], String) {
    var body: [JinjaStatement] = []
    while true {
      let token = current
      switch token.kind {
      case .data(let text):
        advance()
        body.append(JinjaStatement(kind: .text(text), line: token.line))
      case .variableBegin:
        advance()
        let value = try nested { parser throws(JinjaSyntaxError) in
          try parser.tupleExpression()
        }
        guard current.kind == .variableEnd else {
          throw failure("expected the end of the expression, got '\(current.spelling)'")
        }
        advance()
        body.append(JinjaStatement(kind: .output(value), line: token.line))
      case .blockBegin:
        advance()
        let name = try expectName()
        if ends.contains(name) { return (body, name) }
        let kind = try nested { parser throws(JinjaSyntaxError) in
          try parser.statement(name, token)
        }
        body.append(JinjaStatement(kind: kind, line: token.line))
      case .end:
        if let opened {
          throw failure(
            "Unexpected end of template. The innermost block that needs to be closed is "
              + "'\(opened.spelling)'; looked for \(ends.joined(separator: " or ")).",
            line: opened.line)
        }
        return (body, "")
      default: throw failure("unexpected '\(token.spelling)'")
      }
    }
  }

  /// The body of a block up to its plain end tag.
  private mutating func body(
    until end: String, _ opened: JinjaToken
  ) throws(JinjaSyntaxError) -> [JinjaStatement] {
    try expectBlockEnd()
    let (body, _) = try statements(until: [end], opened: opened)
    try expectBlockEnd()
    return body
  }

  private mutating func statement(
    _ name: String, _ tag: JinjaToken
  ) throws(JinjaSyntaxError) -> JinjaStatement.Kind {
    let opened = JinjaToken(kind: .name(name), line: tag.line)
    switch name {
    case "if": return try branch(opened)
    case "for": return try loop(opened)
    case "set": return try set(opened)
    case "macro":
      let name = try expectName()
      let parameters = try parameters()
      return .macro(
        try macro(name, parameters, until: "endmacro", opened))
    case "call":
      var parameters: [(name: String, fallback: JinjaExpression?)] = []
      if isSymbol("(") { parameters = try self.parameters() }
      let call = try expression()
      guard case .call = call else { throw failure("expected call", line: tag.line) }
      return .callBlock(try macro(nil, parameters, until: "endcall", opened), call)
    case "filter":
      let steps = try filterSteps(first: true)
      return .filterBlock(steps, JinjaFrame(body: try body(until: "endfilter", opened)))
    case "with":
      var bindings: [(target: JinjaTarget, value: JinjaExpression)] = []
      while current.kind != .blockEnd {
        if !bindings.isEmpty { try expect(symbol: ",") }
        let target = try singleTarget(isLoop: false)
        try expect(symbol: "=")
        bindings.append((target, try expression()))
      }
      return .with(bindings, JinjaFrame(body: try body(until: "endwith", opened)))
    case "generation":
      return .generation(try macro(nil, [], until: "endgeneration", opened))
    case "break", "continue":
      guard loops > 0 else { throw failure("'\(name)' outside of a loop") }
      try expectBlockEnd()
      return name == "break" ? .breakLoop : .continueLoop
    case "include", "import", "from", "extends", "block", "autoescape":
      throw failure("the tag '\(name)' is not supported in chat templates", line: tag.line)
    default:
      throw failure("Encountered unknown tag '\(name)'.", line: tag.line)
    }
  }

  private mutating func branch(
    _ opened: JinjaToken
  ) throws(JinjaSyntaxError) -> JinjaStatement.Kind {
    var arms: [(condition: JinjaExpression, body: [JinjaStatement])] = []
    while true {
      let condition = try tupleExpression(withConditional: false)
      try expectBlockEnd()
      let (body, end) = try statements(until: ["elif", "else", "endif"], opened: opened)
      arms.append((condition, body))
      if end == "elif" { continue }
      var otherwise: [JinjaStatement] = []
      if end == "else" {
        try expectBlockEnd()
        (otherwise, _) = try statements(until: ["endif"], opened: opened)
      }
      try expectBlockEnd()
      return .branch(arms, otherwise: otherwise)
    }
  }

  private mutating func loop(_ opened: JinjaToken) throws(JinjaSyntaxError) -> JinjaStatement.Kind {
    let target = try self.target(until: "in")
    guard take(name: "in") else { throw failure("expected 'in', got '\(current.spelling)'") }
    let iterable = try tupleExpression(withConditional: false, until: "recursive")
    var condition: JinjaExpression?
    if take(name: "if") { condition = try expression() }
    let isRecursive = take(name: "recursive")
    try expectBlockEnd()
    loops += 1
    let (body, end) = try statements(until: ["else", "endfor"], opened: opened)
    loops -= 1
    var otherwise: [JinjaStatement] = []
    if end == "else" {
      try expectBlockEnd()
      (otherwise, _) = try statements(until: ["endfor"], opened: opened)
    }
    try expectBlockEnd()
    return .loop(
      JinjaLoop(
        target: target, iterable: iterable, condition: condition, isRecursive: isRecursive,
        frame: JinjaFrame(body: body), otherwise: JinjaFrame(body: otherwise)))
  }

  private mutating func set(_ opened: JinjaToken) throws(JinjaSyntaxError) -> JinjaStatement.Kind {
    let target = try self.target()
    if take(symbol: "=") {
      let value = try tupleExpression()
      try expectBlockEnd()
      return .set(target, value)
    }
    var steps: [JinjaFilterStep] = []
    if isSymbol("|") { steps = try filterSteps(first: false) }
    return .capture(target, steps, JinjaFrame(body: try body(until: "endset", opened)))
  }

  /// A macro is no part of the loop around it, so `break` may not leave it.
  private mutating func macro(
    _ name: String?, _ parameters: [(name: String, fallback: JinjaExpression?)],
    until end: String, _ opened: JinjaToken
  ) throws(JinjaSyntaxError) -> JinjaMacro {
    let outer = loops
    loops = 0
    defer { loops = outer }
    let body = try body(until: end, opened)
    return JinjaMacro(name: name, parameters: parameters, frame: JinjaFrame(body: body))
  }

  private mutating func parameters() throws(JinjaSyntaxError)
    -> [(name: String, fallback: JinjaExpression?)]
  {
    var out: [(name: String, fallback: JinjaExpression?)] = []
    try expect(symbol: "(")
    while !take(symbol: ")") {
      if !out.isEmpty { try expect(symbol: ",") }
      let name = try expectTargetName()
      var fallback: JinjaExpression?
      if take(symbol: "=") { fallback = try expression() }
      guard fallback != nil || out.last?.fallback == nil else {
        throw failure("non-default argument follows default argument")
      }
      guard !out.contains(where: { $0.name == name }) else {
        throw failure("duplicate argument '\(name)' in function definition")
      }
      out.append((name, fallback))
    }
    return out
  }

  /// `a`, `a, b`, `(a, b)` or, outside of loops, `ns.a`.
  private mutating func target(until word: String? = nil) throws(JinjaSyntaxError) -> JinjaTarget {
    var targets: [JinjaTarget] = []
    var isTuple = false
    while true {
      targets.append(try singleTarget(isLoop: word != nil))
      guard take(symbol: ",") else { break }
      isTuple = true
      if let word, isName(word) { break }
      if isSymbol("=") || isSymbol(")") || current.kind == .blockEnd { break }
    }
    return isTuple ? .tuple(targets) : targets[0]
  }

  private mutating func singleTarget(isLoop: Bool) throws(JinjaSyntaxError) -> JinjaTarget {
    if take(symbol: "(") {
      let inner = try nested { parser throws(JinjaSyntaxError) in
        try parser.target(until: isLoop ? "in" : nil)
      }
      try expect(symbol: ")")
      return inner
    }
    let name = try expectTargetName()
    guard !isLoop, take(symbol: ".") else { return .name(name) }
    return .attribute(name, try expectName())
  }

  private mutating func expectTargetName() throws(JinjaSyntaxError) -> String {
    let line = current.line
    let name = try expectName()
    if ["true", "false", "none", "True", "False", "None"].contains(name) {
      throw failure("can't assign to '\(name)'", line: line)
    }
    return name
  }

  /// `f(x) | g`, the first without a bar where it opens a filter block.
  private mutating func filterSteps(first: Bool) throws(JinjaSyntaxError) -> [JinjaFilterStep] {
    var steps: [JinjaFilterStep] = []
    while steps.isEmpty && first || take(symbol: "|") {
      let name = try dottedName()
      var given = JinjaArguments()
      if isSymbol("(") { given = try arguments() }
      steps.append(JinjaFilterStep(name: name, arguments: given))
    }
    return steps
  }
}
