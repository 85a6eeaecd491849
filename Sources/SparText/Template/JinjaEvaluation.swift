/// Values for a call, by place and by name.
struct JinjaCall {
  var positional: [JinjaValue] = []
  var named: [(name: String, value: JinjaValue)] = []

  /// The argument at `place`, or called `name`.
  func value(_ place: Int, _ name: String) -> JinjaValue? {
    positional.count > place ? positional[place] : named.first { $0.name == name }?.value
  }

  func dropFirst() -> JinjaCall {
    JinjaCall(positional: Array(positional.dropFirst()), named: named)
  }
}

/// Expressions → values. Each case that does work has a function of its own, so that the frame
/// of the recursion stays small.
extension JinjaInterpreter {
  static let functions: Set<String> = [
    "range", "dict", "namespace", "raise_exception", "strftime_now", "cycler", "joiner",
  ]

  func lookUp(_ name: String) -> JinjaValue {
    for scope in scopes.reversed() {
      if let value = scope[name] { return value }
    }
    // A function is a method of nothing.
    if Self.functions.contains(name) { return .method(.none, name) }
    return .undefined("'\(name)' is undefined")
  }

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
    case .list(let parts): .list(try values(parts))
    case .tuple(let parts): .tuple(try values(parts))
    case .dictionary(let members): try dictionary(members)
    case .attribute(let base, let name): try attribute(of: evaluate(base), name)
    case .item(let base, let index): try item(of: evaluate(base), evaluate(index))
    case .slice(let base, let range): try slice(evaluate(base), range)
    case .call(let callee, let arguments): try call(evaluate(callee), evaluate(arguments))
    case .filter(let base, let name, let arguments):
      try filter(name, evaluate(base), evaluate(arguments))
    case .test(let base, let name, let arguments, let negated):
      .boolean(try test(name, evaluate(base), evaluate(arguments)) != negated)
    case .negative(let base): try signed(evaluate(base), negative: true)
    case .positive(let base): try signed(evaluate(base), negative: false)
    case .not(let base): .boolean(try !evaluate(base).isTrue)
    case .all(let parts): try chain(parts, stopsAt: false)
    case .any(let parts): try chain(parts, stopsAt: true)
    case .comparison(let first, let operations): try comparison(first, operations)
    case .arithmetic(let first, let operations): try arithmetic(first, operations)
    case .concatenation(let parts): try concatenation(parts)
    case .conditional(let then, let condition, let otherwise):
      try conditional(then, condition, otherwise)
    }
  }

  func values(_ parts: [JinjaExpression]) throws -> [JinjaValue] {
    try parts.map { try evaluate($0) }
  }

  func evaluate(_ arguments: JinjaArguments) throws -> JinjaCall {
    JinjaCall(
      positional: try values(arguments.positional),
      named: try arguments.named.map { ($0.name, try evaluate($0.value)) })
  }

  private func dictionary(
    _ members: [(key: JinjaExpression, value: JinjaExpression)]
  ) throws -> JinjaValue {
    var out = JinjaDictionary()
    for member in members {
      let key = try evaluate(member.key)
      guard out.set(key, try evaluate(member.value)) else {
        throw JinjaFault.type("unhashable type: '\(key.typeName)'")
      }
    }
    return .dictionary(out)
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
    _ then: JinjaExpression, _ condition: JinjaExpression, _ otherwise: JinjaExpression?
  ) throws -> JinjaValue {
    if try evaluate(condition).isTrue { return try evaluate(then) }
    if let otherwise { return try evaluate(otherwise) }
    return .undefined(
      "the inline if-expression evaluated to false and no else section was defined.")
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
    var text = ""
    for part in parts { text += try evaluate(part).text }
    try spend(bytes: text.utf8.count)
    return .string(text)
  }

  // MARK: Members

  /// `x.name`: a method or field of the object first, then its item, as Jinja looks.
  func attribute(of base: JinjaValue, _ name: String) throws -> JinjaValue {
    switch base {
    case .undefined(let why): throw JinjaFault.undefined(why)
    case .dictionary(let members):
      if JinjaMethods.dictionary.contains(name) { return .method(base, name) }
      return members[name] ?? Self.missing(base, name)
    case .string:
      return JinjaMethods.string.contains(name) ? .method(base, name) : Self.missing(base, name)
    case .list, .tuple:
      return JinjaMethods.list.contains(name) ? .method(base, name) : Self.missing(base, name)
    case .reference(let reference):
      return member(of: reference, name) ?? Self.missing(base, name)
    default: return Self.missing(base, name)
    }
  }

  /// `x[index]`: an item first, then an attribute of that name.
  func item(of base: JinjaValue, _ index: JinjaValue) throws -> JinjaValue {
    switch (base, index) {
    case (.undefined(let why), _): throw JinjaFault.undefined(why)
    case (.dictionary(let members), _):
      if let value = members.find(index) { return value }
    case (.list(let elements), _), (.tuple(let elements), _):
      if let place = index.asInteger {
        let place = place < 0 ? place + elements.count : place
        guard elements.indices.contains(place) else {
          return .undefined("\(base.typeName) object has no element \(index.text)")
        }
        return elements[place]
      }
    case (.string(let text), _):
      if let place = index.asInteger {
        try spend(bytes: text.utf8.count)
        let scalars = text.unicodeScalars
        let place = place < 0 ? place + scalars.count : place
        guard place >= 0, place < scalars.count else {
          return .undefined("str object has no element \(index.text)")
        }
        return .string(String(scalars[scalars.index(scalars.startIndex, offsetBy: place)]))
      }
    default: break
    }
    if case .string(let name) = index { return try attribute(of: base, name) }
    return .undefined("\(base.typeName) object has no element \(index.representation)")
  }

  private static func missing(_ base: JinjaValue, _ name: String) -> JinjaValue {
    if case .none = base { return .undefined("'None' has no attribute '\(name)'") }
    return .undefined("'\(base.typeName) object' has no attribute '\(name)'")
  }

  private func member(of reference: JinjaReference, _ name: String) -> JinjaValue? {
    switch reference.kind {
    case .namespace: return namespaces[reference.index][name]
    case .macro, .caller:
      return name == "name" ? .string(macros[reference.index].definition.name) : nil
    case .cycler:
      if name == "current" {
        let cycler = cyclers[reference.index]
        return cycler.items[cycler.place]
      }
      return ["next", "reset"].contains(name) ? .method(.reference(reference), name) : nil
    case .joiner: return nil
    case .loop:
      // A loop that is over keeps no state.
      guard reference.index < loops.count else { return nil }
      return loopMember(loops[reference.index], name, .reference(reference))
    }
  }

  private func loopMember(_ loop: Loop, _ name: String, _ reference: JinjaValue) -> JinjaValue? {
    let count = loop.items.count
    return switch name {
    case "index": .integer(loop.index + 1)
    case "index0": .integer(loop.index)
    case "revindex": .integer(count - loop.index)
    case "revindex0": .integer(count - loop.index - 1)
    case "first": .boolean(loop.index == 0)
    case "last": .boolean(loop.index == count - 1)
    case "length": .integer(count)
    case "depth": .integer(loop.depth)
    case "depth0": .integer(loop.depth - 1)
    case "previtem":
      loop.index > 0 ? loop.items[loop.index - 1] : .undefined("there is no previous item")
    case "nextitem":
      loop.index + 1 < count ? loop.items[loop.index + 1] : .undefined("there is no next item")
    case "cycle", "changed": .method(reference, name)
    default: nil
    }
  }

  private func slice(_ base: JinjaValue, _ range: JinjaSlice) throws -> JinjaValue {
    func bound(_ expression: JinjaExpression?) throws -> Int? {
      guard let expression else { return nil }
      let value = try evaluate(expression)
      if case .none = value { return nil }
      guard let place = value.asInteger else {
        throw JinjaFault.type("slice indices must be integers or None")
      }
      return place
    }
    let start = try bound(range.start)
    let stop = try bound(range.stop)
    let step = try bound(range.step) ?? 1
    guard step != 0 else { throw JinjaFault.type("slice step cannot be zero") }
    func places(_ count: Int) throws -> [Int] {
      try spend(bytes: count)
      func clamp(_ place: Int, _ low: Int, _ high: Int) -> Int {
        min(max(place < 0 ? place + count : place, low), high)
      }
      if step > 0 {
        let from = clamp(start ?? 0, 0, count)
        let to = clamp(stop ?? count, 0, count)
        return from < to ? Array(stride(from: from, to: to, by: step)) : []
      }
      let from = start.map { clamp($0, -1, count - 1) } ?? count - 1
      let to = stop.map { clamp($0, -1, count - 1) } ?? -1
      return from > to ? Array(stride(from: from, to: to, by: step)) : []
    }
    switch base {
    case .undefined(let why): throw JinjaFault.undefined(why)
    case .list(let elements): return .list(try places(elements.count).map { elements[$0] })
    case .tuple(let elements): return .tuple(try places(elements.count).map { elements[$0] })
    case .string(let text):
      let scalars = Array(text.unicodeScalars)
      var out = String.UnicodeScalarView()
      for place in try places(scalars.count) { out.append(scalars[place]) }
      return .string(String(out))
    default: throw JinjaFault.type("'\(base.typeName)' object is not subscriptable")
    }
  }
}
