/// Expressions by falling precedence:
///
///     x if c else y · or · and · not · comparisons · + - · ~ · * / // % · ** · unary · postfix · |, is
extension JinjaParser {
  /// Postfix links (`.a`, `[b]`, `(c)`, `|d`) on one value.
  static let longestChain = 100

  /// A value, or several with commas between.
  mutating func tupleExpression(
    withConditional: Bool = true, until word: String? = nil
  ) throws(JinjaSyntaxError) -> JinjaExpression {
    var elements: [JinjaExpression] = []
    var isTuple = false
    if endsTuple(word) { throw failure("Expected an expression, got '\(current.spelling)'") }
    while true {
      if withConditional {
        elements.append(try expression())
      } else {
        elements.append(try disjunction())
      }
      guard take(symbol: ",") else { break }
      isTuple = true
      if endsTuple(word) { break }
    }
    return isTuple ? .tuple(elements) : elements[0]
  }

  private func endsTuple(_ word: String?) -> Bool {
    switch current.kind {
    case .variableEnd, .blockEnd, .end: true
    case .symbol(let text): text == ")"
    case .name(let name): name == word
    default: false
    }
  }

  mutating func expression() throws(JinjaSyntaxError) -> JinjaExpression {
    var line = current.line
    var value = try disjunction()
    var links = 0
    while take(name: "if") {
      links += 1
      guard links <= Self.longestChain else { throw failure("too many conditions in a row") }
      let condition = try disjunction()
      var otherwise: JinjaExpression?
      if take(name: "else") {
        otherwise = try nested { parser throws(JinjaSyntaxError) in try parser.expression() }
      }
      value = .conditional(then: value, when: condition, otherwise: otherwise, line: line)
      line = current.line
    }
    return value
  }

  private mutating func disjunction() throws(JinjaSyntaxError) -> JinjaExpression {
    var parts = [try conjunction()]
    while take(name: "or") { parts.append(try conjunction()) }
    return parts.count == 1 ? parts[0] : .any(parts)
  }

  private mutating func conjunction() throws(JinjaSyntaxError) -> JinjaExpression {
    var parts = [try negation()]
    while take(name: "and") { parts.append(try negation()) }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func negation() throws(JinjaSyntaxError) -> JinjaExpression {
    guard take(name: "not") else { return try comparison() }
    return .not(try nested { parser throws(JinjaSyntaxError) in try parser.negation() })
  }

  private mutating func comparison() throws(JinjaSyntaxError) -> JinjaExpression {
    let first = try sum()
    var operations: [JinjaOperation] = []
    while let symbol = comparisonSymbol() {
      operations.append(JinjaOperation(symbol: symbol, right: try sum()))
    }
    return operations.isEmpty ? first : .comparison(first, operations)
  }

  private mutating func comparisonSymbol() -> String? {
    for symbol in ["==", "!=", "<=", ">=", "<", ">"] where take(symbol: symbol) { return symbol }
    if take(name: "in") { return "in" }
    if isName("not"), following.kind == .name("in") {
      advance()
      advance()
      return "not in"
    }
    return nil
  }

  private mutating func sum() throws(JinjaSyntaxError) -> JinjaExpression {
    let first = try concatenation()
    var operations: [JinjaOperation] = []
    while let symbol = ["+", "-"].first(where: isSymbol) {
      advance()
      operations.append(JinjaOperation(symbol: symbol, right: try concatenation()))
    }
    return operations.isEmpty ? first : .arithmetic(first, operations)
  }

  private mutating func concatenation() throws(JinjaSyntaxError) -> JinjaExpression {
    var parts = [try product()]
    while take(symbol: "~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  private mutating func product() throws(JinjaSyntaxError) -> JinjaExpression {
    let first = try power()
    var operations: [JinjaOperation] = []
    while let symbol = ["*", "/", "//", "%"].first(where: isSymbol) {
      advance()
      operations.append(JinjaOperation(symbol: symbol, right: try power()))
    }
    return operations.isEmpty ? first : .arithmetic(first, operations)
  }

  private mutating func power() throws(JinjaSyntaxError) -> JinjaExpression {
    let first = try unary(withFilters: true)
    var operations: [JinjaOperation] = []
    while take(symbol: "**") {
      operations.append(JinjaOperation(symbol: "**", right: try unary(withFilters: true)))
    }
    return operations.isEmpty ? first : .arithmetic(first, operations)
  }

  private mutating func unary(withFilters: Bool) throws(JinjaSyntaxError) -> JinjaExpression {
    var value: JinjaExpression
    if take(symbol: "-") {
      value = .negative(
        try nested { parser throws(JinjaSyntaxError) in try parser.unary(withFilters: false) })
    } else if take(symbol: "+") {
      value = .positive(
        try nested { parser throws(JinjaSyntaxError) in try parser.unary(withFilters: false) })
    } else {
      value = try primary()
    }
    value = try postfix(value)
    guard withFilters else { return value }
    return try filtersAndTests(value)
  }

  private mutating func primary() throws(JinjaSyntaxError) -> JinjaExpression {
    let token = current
    switch token.kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .literal(.boolean(true))
      case "false", "False": return .literal(.boolean(false))
      case "none", "None": return .literal(.none)
      default: return .name(name)
      }
    case .string(var text):
      advance()
      while case .string(let more) = current.kind {
        text += more
        advance()
      }
      return .literal(.string(text))
    case .integer(let value):
      advance()
      return .literal(.integer(value))
    case .number(let value):
      advance()
      return .literal(.number(value))
    case .symbol("("):
      advance()
      if take(symbol: ")") { return .tuple([]) }
      let inner = try nested { parser throws(JinjaSyntaxError) in try parser.tupleExpression() }
      try expect(symbol: ")")
      return inner
    case .symbol("["):
      advance()
      return .list(try elements(until: "]"))
    case .symbol("{"):
      advance()
      return .dictionary(try members())
    default: throw failure("unexpected '\(token.spelling)'")
    }
  }

  private mutating func elements(until end: String) throws(JinjaSyntaxError) -> [JinjaExpression] {
    var out: [JinjaExpression] = []
    while !take(symbol: end) {
      if !out.isEmpty {
        try expect(symbol: ",")
        if take(symbol: end) { break }
      }
      out.append(try nested { parser throws(JinjaSyntaxError) in try parser.expression() })
    }
    return out
  }

  private mutating func members() throws(JinjaSyntaxError)
    -> [(key: JinjaExpression, value: JinjaExpression)]
  {
    var out: [(key: JinjaExpression, value: JinjaExpression)] = []
    while !take(symbol: "}") {
      if !out.isEmpty {
        try expect(symbol: ",")
        if take(symbol: "}") { break }
      }
      let key = try nested { parser throws(JinjaSyntaxError) in try parser.expression() }
      try expect(symbol: ":")
      out.append((key, try nested { parser throws(JinjaSyntaxError) in try parser.expression() }))
    }
    return out
  }

  private mutating func postfix(
    _ start: JinjaExpression
  ) throws(JinjaSyntaxError) -> JinjaExpression {
    var value = start
    var links = 0
    while true {
      links += 1
      guard links <= Self.longestChain else { throw failure("a chain of too many links") }
      if take(symbol: ".") {
        if case .integer(let index) = current.kind {
          advance()
          value = .item(value, .literal(.integer(index)))
        } else {
          value = .attribute(value, try expectName())
        }
      } else if take(symbol: "[") {
        value = try subscripted(value)
      } else if isSymbol("(") {
        value = .call(value, try arguments())
      } else {
        return value
      }
    }
  }

  /// `[i]`, `[a:b:c]`, or several of them, which are a tuple.
  private mutating func subscripted(
    _ value: JinjaExpression
  ) throws(JinjaSyntaxError) -> JinjaExpression {
    var parts: [JinjaExpression] = []
    while !take(symbol: "]") {
      if !parts.isEmpty { try expect(symbol: ",") }
      if case .slice(_, let range)? = try slice() {
        guard parts.isEmpty, take(symbol: "]") else {
          throw failure("a slice among several indices is not supported in chat templates")
        }
        return .slice(value, range)
      }
      parts.append(try nested { parser throws(JinjaSyntaxError) in try parser.expression() })
      if parts.count == 1, isSymbol(":") {
        let range = try rest(of: parts[0])
        guard take(symbol: "]") else {
          throw failure("a slice among several indices is not supported in chat templates")
        }
        return .slice(value, range)
      }
    }
    return .item(value, parts.count == 1 ? parts[0] : .tuple(parts))
  }

  /// A slice that begins with its colon.
  private mutating func slice() throws(JinjaSyntaxError) -> JinjaExpression? {
    guard isSymbol(":") else { return nil }
    return .slice(.literal(.none), try rest(of: nil))
  }

  private mutating func rest(of start: JinjaExpression?) throws(JinjaSyntaxError) -> JinjaSlice {
    func bound(_ parser: inout JinjaParser) throws(JinjaSyntaxError) -> JinjaExpression? {
      if parser.isSymbol(":") || parser.isSymbol("]") || parser.isSymbol(",") { return nil }
      return try parser.nested { parser throws(JinjaSyntaxError) in try parser.expression() }
    }
    try expect(symbol: ":")
    let stop = try bound(&self)
    var step: JinjaExpression?
    if take(symbol: ":") { step = try bound(&self) }
    return JinjaSlice(start: start, stop: stop, step: step)
  }

  mutating func arguments() throws(JinjaSyntaxError) -> JinjaArguments {
    var out = JinjaArguments()
    try expect(symbol: "(")
    var isFirst = true
    while !take(symbol: ")") {
      if !isFirst {
        try expect(symbol: ",")
        if take(symbol: ")") { break }
      }
      isFirst = false
      let line = current.line
      func ensure(_ holds: Bool) throws(JinjaSyntaxError) {
        if !holds { throw failure("invalid syntax for function call expression", line: line) }
      }
      if take(symbol: "*") {
        try ensure(out.more == nil && out.moreNamed == nil)
        out.more = try nested { parser throws(JinjaSyntaxError) in try parser.expression() }
      } else if take(symbol: "**") {
        try ensure(out.moreNamed == nil)
        out.moreNamed = try nested { parser throws(JinjaSyntaxError) in try parser.expression() }
      } else if case .name(let name) = current.kind, following.kind == .symbol("=") {
        try ensure(out.moreNamed == nil)
        advance()
        advance()
        guard !out.named.contains(where: { $0.name == name }) else {
          throw failure("keyword argument repeated: \(name)", line: line)
        }
        out.named.append(
          (name, try nested { parser throws(JinjaSyntaxError) in try parser.expression() }))
      } else {
        try ensure(out.named.isEmpty && out.more == nil && out.moreNamed == nil)
        out.positional.append(
          try nested { parser throws(JinjaSyntaxError) in try parser.expression() })
      }
    }
    return out
  }

  mutating func dottedName() throws(JinjaSyntaxError) -> String {
    var name = try expectName()
    while take(symbol: ".") { name += "." + (try expectName()) }
    return name
  }

  private mutating func filtersAndTests(
    _ start: JinjaExpression
  ) throws(JinjaSyntaxError) -> JinjaExpression {
    var value = start
    var links = 0
    while true {
      links += 1
      guard links <= Self.longestChain else { throw failure("a chain of too many filters") }
      if take(symbol: "|") {
        let name = try dottedName()
        var given = JinjaArguments()
        if isSymbol("(") { given = try arguments() }
        value = .filter(value, name, given)
      } else if take(name: "is") {
        value = try test(value)
      } else if isSymbol("(") {
        value = .call(value, try arguments())
      } else {
        return value
      }
    }
  }

  private mutating func test(_ value: JinjaExpression) throws(JinjaSyntaxError) -> JinjaExpression {
    let negated = take(name: "not")
    let name = try dottedName()
    var given = JinjaArguments()
    switch current.kind {
    case .symbol("("): given = try arguments()
    case .name(let word) where !["else", "or", "and"].contains(word):
      if word == "is" { throw failure("You cannot chain multiple tests with is") }
      given.positional = [try operand()]
    case .string, .integer, .number, .symbol("["), .symbol("{"):
      given.positional = [try operand()]
    default: break
    }
    return .test(value, name, given, negated: negated)
  }

  /// The bare argument of a test: `x is divisibleby 3`.
  private mutating func operand() throws(JinjaSyntaxError) -> JinjaExpression {
    let value = try primary()
    return try postfix(value)
  }
}
