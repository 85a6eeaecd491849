/// Expressions → values. Each case that does work has a function of its own, so that the frame
/// of the recursion stays small.
extension JinjaInterpreter {
  func evaluate(_ expression: JinjaExpression) throws -> JinjaValue {
    try spend()
    switch expression {
    case .literal(let value): return value
    case .name(let name): return lookUp(name)
    default: return try deeper { try compound(expression) }
    }
  }

  private func compound(_ expression: JinjaExpression) throws -> JinjaValue {
    switch expression {
    case .literal(let value): value
    case .name(let name): lookUp(name)
    case .list(let parts): try list(values(parts))
    case .tuple(let parts): try tuple(values(parts))
    case .dictionary(let members): try dictionary(members)
    case .attribute(let base, let name): try attribute(of: evaluate(base), name)
    case .item(let base, let index): try item(of: evaluate(base), evaluate(index))
    case .slice(let base, let range): try slice(evaluate(base), range)
    case .call(let callee, let arguments): try call(evaluate(callee), evaluate(arguments))
    case .filter(let base, let name, let arguments): try filtered(base, name, arguments)
    case .test(let base, let name, let arguments, let negated):
      .boolean(try tested(base, name, arguments) != negated)
    case .negative(let base): try signed(evaluate(base), negative: true)
    case .positive(let base): try signed(evaluate(base), negative: false)
    case .not(let base): .boolean(try !evaluate(base).isTrue)
    case .all(let parts): try chain(parts, stopsAt: false)
    case .any(let parts): try chain(parts, stopsAt: true)
    case .comparison(let first, let operations): try comparison(first, operations)
    case .arithmetic(let first, let operations): try arithmetic(first, operations)
    case .concatenation(let parts): try concatenation(parts)
    case .conditional(let then, let condition, let otherwise, let line):
      try conditional(then, condition, otherwise, line)
    }
  }

  func values(_ parts: [JinjaExpression]) throws -> [JinjaValue] {
    try make(elements: parts.count)
    return try parts.map { try evaluate($0) }
  }

  func evaluate(_ arguments: JinjaArguments) throws -> JinjaCall {
    var given = JinjaCall()
    if !arguments.positional.isEmpty { given.positional = try values(arguments.positional) }
    for (name, value) in arguments.named { given.named.append((name, try evaluate(value))) }
    if let more = arguments.more {
      let more = try evaluate(more)
      guard try iterator(more, orNil: true) != nil else {
        throw JinjaFault.type(
          "Value after * must be an iterable, not \(typeName(more))")
      }
      given.positional += try elements(more)
    }
    if let more = arguments.moreNamed {
      guard case .dictionary(let members) = try evaluate(more) else {
        throw JinjaFault.type("argument after ** must be a mapping")
      }
      for (key, value) in zip(members.keys, members.values) {
        guard case .string(let name) = key else {
          throw JinjaFault.type("keywords must be strings")
        }
        guard !given.named.contains(where: { $0.name == name }) else {
          throw JinjaFault.type("got multiple values for keyword argument '\(name)'")
        }
        given.named.append((name, value))
      }
    }
    return given
  }

  private func dictionary(
    _ members: [(key: JinjaExpression, value: JinjaExpression)]
  ) throws -> JinjaValue {
    var out = JinjaDictionary()
    for member in members {
      let key = try evaluate(member.key)
      try set(&out, key, evaluate(member.value))
    }
    return .dictionary(out)
  }

  /// A filter that is unknown is an error only now where it stands under an `if`.
  private func filtered(
    _ base: JinjaExpression, _ name: String, _ arguments: JinjaArguments
  ) throws -> JinjaValue {
    let (value, given) = (try evaluate(base), try evaluate(arguments))
    guard JinjaLibrary.filters.contains(name) else {
      throw JinjaFault.type("No filter named '\(name)' found.")
    }
    return try filter(name, value, given)
  }

  private func tested(
    _ base: JinjaExpression, _ name: String, _ arguments: JinjaArguments
  ) throws -> Bool {
    let (value, given) = (try evaluate(base), try evaluate(arguments))
    guard JinjaLibrary.tests.contains(name) else {
      throw JinjaFault.type("No test named '\(name)' found.")
    }
    return try test(name, value, given)
  }

  /// `and` and `or` give the value that decides, as in Python.
  private func chain(_ parts: [JinjaExpression], stopsAt: Bool) throws -> JinjaValue {
    var value = JinjaValue.none
    for part in parts {
      value = try evaluate(part)
      if value.isTrue == stopsAt { break }
    }
    return value
  }

  private func conditional(
    _ then: JinjaExpression, _ condition: JinjaExpression, _ otherwise: JinjaExpression?,
    _ line: Int
  ) throws -> JinjaValue {
    if try evaluate(condition).isTrue { return try evaluate(then) }
    if let otherwise { return try evaluate(otherwise) }
    return .undefined(
      "the inline if-expression on line \(line) evaluated to false and no else section was "
        + "defined.")
  }

  private func comparison(
    _ first: JinjaExpression, _ operations: [JinjaOperation]
  ) throws -> JinjaValue {
    var left = try evaluate(first)
    for operation in operations {
      let right = try evaluate(operation.right)
      guard try compare(left, operation.symbol, right) else { return .boolean(false) }
      left = right
    }
    return .boolean(true)
  }

  private func concatenation(_ parts: [JinjaExpression]) throws -> JinjaValue {
    var joined = ""
    let values = try values(parts)
    for value in values {
      joined += try text(value)
      guard joined.utf8.count <= limits.outputBytes else { break }
    }
    try make(bytes: joined.utf8.count)
    return .string(joined)
  }

  // MARK: Slices

  private func place(_ bound: JinjaValue?) throws -> Int? {
    guard let value = bound, !value.isNone else { return nil }
    guard let place = value.asInteger else {
      throw JinjaFault.type(
        "slice indices must be integers or None or have an __index__ method")
    }
    return place
  }

  private func slice(_ base: JinjaValue, _ range: JinjaSlice) throws -> JinjaValue {
    let bounds = try [range.start, range.stop, range.step].map { bound in
      try bound.map { try evaluate($0) }
    }
    switch base {
    case .undefined(let why): throw JinjaFault.undefined(why)
    case .dictionary: throw JinjaFault.type("unhashable type: 'slice'")
    case .list, .tuple, .string, .markup, .range: break
    default: throw JinjaFault.type("'\(typeName(base))' object is not subscriptable")
    }
    let step = try place(bounds[2])
    let (start, stop) = (try place(bounds[0]), try place(bounds[1]))
    switch base {
    case .list(let list): return try self.list(part(list.elements, start, stop, step))
    case .tuple(let list): return try tuple(part(list.elements, start, stop, step))
    case .string(let text): return .string(try part(text, start, stop, step))
    case .markup(let text): return .markup(try part(text, start, stop, step))
    case .range(let range):
      let places = try Self.places(range.count, start, stop, step ?? 1)
      // Places may be one beyond either end, where values need not fit.
      func value(_ place: Int) throws -> Int {
        let offset = place.multipliedReportingOverflow(by: range.step)
        let value = range.start.addingReportingOverflow(offset.partialValue)
        guard !offset.overflow, !value.overflow else { throw Self.tooLarge }
        return value.partialValue
      }
      let product = range.step.multipliedReportingOverflow(by: places.step)
      guard !product.overflow else { throw Self.tooLarge }
      return .range(
        JinjaRange(
          start: try value(places.start), stop: try value(places.stop),
          step: product.partialValue))
    default: return base
    }
  }

  /// Python's `slice.indices`.
  private static func places(
    _ count: Int, _ start: Int?, _ stop: Int?, _ step: Int
  ) throws -> (start: Int, stop: Int, step: Int) {
    guard step != 0 else { throw JinjaFault.type("slice step cannot be zero") }
    let (low, high) = step > 0 ? (0, count) : (-1, count - 1)
    func clamp(_ place: Int) -> Int { min(max(place < 0 ? place + count : place, low), high) }
    return (
      start.map(clamp) ?? (step > 0 ? low : high), stop.map(clamp) ?? (step > 0 ? high : low),
      max(step, -Int.max)
    )
  }

  private func part(
    _ elements: [JinjaValue], _ start: Int?, _ stop: Int?, _ step: Int?
  ) throws -> [JinjaValue] {
    let places = try Self.places(elements.count, start, stop, step ?? 1)
    if places.step == 1 {
      let kept = elements[places.start..<max(places.start, places.stop)]
      try make(elements: kept.count)
      return Array(kept)
    }
    try make(elements: elements.count)
    return stride(from: places.start, to: places.stop, by: places.step).map { elements[$0] }
  }

  private func part(_ text: String, _ start: Int?, _ stop: Int?, _ step: Int?) throws -> String {
    try make(bytes: text.utf8.count)
    let scalars = text.unicodeScalars
    let places = try Self.places(scalars.count, start, stop, step ?? 1)
    if places.step == 1 {
      guard places.start < places.stop else { return "" }
      let from = scalars.index(scalars.startIndex, offsetBy: places.start)
      return String(scalars[from..<scalars.index(from, offsetBy: places.stop - places.start)])
    }
    let all = Array(scalars)
    var out = String.UnicodeScalarView()
    for place in stride(from: places.start, to: places.stop, by: places.step) {
      out.append(all[place])
    }
    return String(out)
  }
}
