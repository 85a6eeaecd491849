/// What jinja2's compiler refuses in a template that parses: unknown filters and tests, a loop that
/// sets `loop`.
enum JinjaChecks {
  /// Unknown filters and tests are errors before anything runs, except under an `if`, where a
  /// template may ask first whether they exist.
  static func check(_ body: [JinjaStatement], isSoft: Bool = false) throws(JinjaSyntaxError) {
    for statement in body {
      var check = Check(line: statement.line, isSoft: isSoft)
      try check.statement(statement.kind)
    }
  }

  private struct Check {
    let line: Int
    var isSoft: Bool

    mutating func statement(_ kind: JinjaStatement.Kind) throws(JinjaSyntaxError) {
      switch kind {
      case .text, .breakLoop, .continueLoop: break
      case .output(let value), .set(_, let value): try expression(value)
      case .branch(let arms, let otherwise):
        isSoft = true
        for arm in arms {
          try expression(arm.condition)
          try JinjaChecks.check(arm.body, isSoft: true)
        }
        try JinjaChecks.check(otherwise, isSoft: true)
      case .loop(let loop):
        try expression(loop.iterable)
        isSoft = false
        if let condition = loop.condition { try expression(condition) }
        try target(loop.target)
        try targets(in: loop.frame.body + loop.otherwise.body)
        try JinjaChecks.check(loop.frame.body)
        try JinjaChecks.check(loop.otherwise.body)
      case .capture(_, let filters, let frame), .filterBlock(let filters, let frame):
        isSoft = false
        try steps(filters)
        try JinjaChecks.check(frame.body)
      case .macro(let definition), .generation(let definition): try macro(definition)
      case .callBlock(let definition, let call):
        try expression(call)
        try macro(definition)
      case .with(let bindings, let frame):
        for binding in bindings { try expression(binding.value) }
        try JinjaChecks.check(frame.body)
      }
    }

    private mutating func macro(_ macro: JinjaMacro) throws(JinjaSyntaxError) {
      isSoft = false
      for parameter in macro.parameters {
        if let fallback = parameter.fallback { try expression(fallback) }
        guard parameter.name != "caller" || parameter.fallback != nil else {
          throw JinjaSyntaxError(
            what: "When defining macros or call blocks the special \"caller\" argument must be "
              + "omitted or be given a default.", line: line)
        }
      }
      try JinjaChecks.check(macro.frame.body)
    }

    private func steps(_ steps: [JinjaFilterStep]) throws(JinjaSyntaxError) {
      for step in steps {
        try filter(step.name)
        for value in step.arguments.positional { try expression(value) }
        for (_, value) in step.arguments.named { try expression(value) }
      }
    }

    private func filter(_ name: String) throws(JinjaSyntaxError) {
      if let why = JinjaLibrary.refusal(ofFilter: name) {
        throw JinjaSyntaxError(what: why, line: line)
      }
      guard isSoft || JinjaLibrary.filters.contains(name) else {
        throw JinjaSyntaxError(what: "No filter named '\(name)'.", line: line)
      }
    }

    private func expression(_ value: JinjaExpression) throws(JinjaSyntaxError) {
      var inner = self
      switch value {
      case .name("self"):
        throw JinjaSyntaxError(
          what: "the name 'self' is not supported in chat templates", line: line)
      case .filter(_, let name, _): try filter(name)
      case .test(_, let name, _, _):
        guard isSoft || JinjaLibrary.tests.contains(name) else {
          throw JinjaSyntaxError(what: "No test named '\(name)'.", line: line)
        }
      case .conditional: inner.isSoft = true
      default: break
      }
      do {
        try JinjaNames.forEachPart(of: value) { part in try inner.expression(part) }
      } catch let error as JinjaSyntaxError {
        throw error
      } catch {
        throw JinjaSyntaxError(what: "\(error)", line: line)
      }
    }

    private func target(_ target: JinjaTarget) throws(JinjaSyntaxError) {
      switch target {
      case .name("loop"):
        throw JinjaSyntaxError(
          what: "Can't assign to special loop variable in for-loop", line: line)
      case .name, .attribute: break
      case .tuple(let targets): for part in targets { try self.target(part) }
      }
    }

    /// No statement inside of a loop may set `loop`.
    private func targets(in body: [JinjaStatement]) throws(JinjaSyntaxError) {
      for statement in body {
        switch statement.kind {
        case .set(let target, _): try self.target(target)
        case .capture(let target, _, let frame):
          try self.target(target)
          try targets(in: frame.body)
        case .branch(let arms, let otherwise):
          for arm in arms { try targets(in: arm.body) }
          try targets(in: otherwise)
        case .filterBlock(_, let frame), .with(_, let frame): try targets(in: frame.body)
        case .macro(let macro), .generation(let macro), .callBlock(let macro, _):
          try targets(in: macro.frame.body)
        case .loop, .text, .output, .breakLoop, .continueLoop: break
        }
      }
    }
  }
}
