/// Names in a template before it runs: which ones an expression reads, and in which order.
enum JinjaNames {
  static func forEachName(in expression: JinjaExpression, _ body: (String) -> Void) {
    if case .name(let name) = expression { return body(name) }
    forEachPart(of: expression) { forEachName(in: $0, body) }
  }

  static func forEachName(in arguments: JinjaArguments, _ body: (String) -> Void) {
    forEachPart(of: arguments) { forEachName(in: $0, body) }
  }

  private static func forEachPart(
    of arguments: JinjaArguments, _ body: (JinjaExpression) throws -> Void
  ) rethrows {
    for value in arguments.positional { try body(value) }
    for (_, value) in arguments.named { try body(value) }
    if let more = arguments.more { try body(more) }
    if let more = arguments.moreNamed { try body(more) }
  }

  static func forEachPart(
    of expression: JinjaExpression, _ body: (JinjaExpression) throws -> Void
  ) rethrows {
    switch expression {
    case .literal, .name: break
    case .list(let parts), .tuple(let parts), .all(let parts), .any(let parts),
      .concatenation(let parts):
      for part in parts { try body(part) }
    case .dictionary(let members):
      for member in members {
        try body(member.key)
        try body(member.value)
      }
    case .attribute(let base, _), .negative(let base), .positive(let base), .not(let base):
      try body(base)
    case .item(let base, let index):
      try body(base)
      try body(index)
    case .slice(let base, let range):
      try body(base)
      for bound in [range.start, range.stop, range.step] {
        if let bound { try body(bound) }
      }
    case .call(let base, let arguments), .filter(let base, _, let arguments),
      .test(let base, _, let arguments, _):
      try body(base)
      try forEachPart(of: arguments, body)
    case .comparison(let first, let operations), .arithmetic(let first, let operations):
      try body(first)
      for operation in operations { try body(operation.right) }
    case .conditional(let then, let condition, let otherwise, _):
      try body(condition)
      try body(then)
      if let otherwise { try body(otherwise) }
    }
  }

  // MARK: Free names

  /// Those of `wanted` that `body` reads before it sets them, frames inside included.
  static func free(in body: [JinjaStatement], among wanted: Set<String>) -> Set<String> {
    var search = Search(wanted: wanted)
    search.visit(body)
    return search.found
  }

  private struct Search {
    var wanted: Set<String>
    var found: Set<String> = []

    mutating func visit(_ body: [JinjaStatement]) {
      for statement in body { visit(statement.kind) }
    }

    mutating func visit(_ kind: JinjaStatement.Kind) {
      switch kind {
      case .text, .breakLoop, .continueLoop: break
      case .output(let value): read(value)
      case .branch(let arms, let otherwise):
        for arm in arms {
          read(arm.condition)
          visit(arm.body)
        }
        visit(otherwise)
      case .loop(let loop):
        set(loop.target)
        read(loop.iterable)
        visit(loop.frame.body)
        visit(loop.otherwise.body)
        if let condition = loop.condition { read(condition) }
      case .set(let target, let value):
        set(target)
        read(value)
      case .capture(let target, let steps, let frame):
        set(target)
        read(steps)
        visit(frame.body)
      case .macro(let macro), .generation(let macro): visit(macro)
      case .callBlock(let macro, let call):
        read(call)
        visit(macro)
      case .filterBlock(let steps, let frame):
        visit(frame.body)
        read(steps)
      case .with(let bindings, let frame):
        for binding in bindings { set(binding.target) }
        for binding in bindings { read(binding.value) }
        visit(frame.body)
      }
    }

    mutating func visit(_ macro: JinjaMacro) {
      for parameter in macro.parameters { wanted.remove(parameter.name) }
      for parameter in macro.parameters {
        if let fallback = parameter.fallback { read(fallback) }
      }
      visit(macro.frame.body)
    }

    mutating func read(_ expression: JinjaExpression) {
      var names: [String] = []
      forEachName(in: expression) { names.append($0) }
      for name in names where wanted.contains(name) { found.insert(name) }
    }

    mutating func read(_ steps: [JinjaFilterStep]) {
      var names: [String] = []
      for step in steps { forEachName(in: step.arguments) { names.append($0) } }
      for name in names where wanted.contains(name) { found.insert(name) }
    }

    mutating func set(_ target: JinjaTarget) {
      switch target {
      case .name(let name): wanted.remove(name)
      case .attribute: break
      case .tuple(let targets): for target in targets { set(target) }
      }
    }
  }
}
