import Foundation

/// Calls of functions, macros and methods.
extension JinjaInterpreter {
  func call(_ callee: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    switch callee {
    case .undefined(let why): throw JinjaFault.undefined(why)
    case .method(.none, let name): return try function(name, given)
    case .method(.method(.none, _), _): return try fromKeys(given)
    case .method(.reference(let reference), let name):
      return try method(of: reference, name, given)
    case .method(let base, let name): return try method(of: base, name, given)
    case .reference(let reference):
      switch reference.kind {
      case .macro: return try deeper { try invoke(reference.index, given) }
      case .loop: return try recurse(reference, given)
      case .joiner:
        _ = try given.bind("Joiner.__call__")
        defer { joiners[reference.index].isUsed = true }
        return joiners[reference.index].isUsed
          ? joiners[reference.index].separator : .string("")
      case .namespace, .cycler, .iterator: break
      }
    default: break
    }
    throw JinjaFault.type("'\(typeName(callee))' object is not callable")
  }

  private func function(_ name: String, _ given: JinjaCall) throws -> JinjaValue {
    switch name {
    case "range": return .range(try range(given))
    case "raise_exception":
      let message = try given.bind(name, required: ["message"], implicit: 0)[0] ?? .none
      throw JinjaFault(
        try text(message),
        cure: "the template itself refuses this conversation; change the messages")
    case "strftime_now":
      let format = try given.bind(name, required: ["format"], implicit: 0)[0] ?? .none
      guard let format = format.asText else {
        throw JinjaFault.type("strftime() argument 1 must be str, not \(typeName(format))")
      }
      return .string(try PythonTime.text(of: now, format))
    case "namespace":
      let members = try dictionary(given)
      for key in members.keys {
        guard let name = key.asText else { continue }
        try checkMember(name)
      }
      try make(bytes: 128)
      namespaces.append(members)
      return .reference(JinjaReference(kind: .namespace, index: namespaces.count - 1))
    case "dict": return .dictionary(try dictionary(given))
    case "cycler":
      guard given.named.isEmpty else {
        throw JinjaFault.type(
          "Cycler.__init__() got an unexpected keyword argument '\(given.named[0].name)'")
      }
      guard !given.positional.isEmpty else {
        throw JinjaFault.type("at least one item has to be provided")
      }
      try make(elements: given.positional.count)
      cyclers.append((given.positional, 0))
      return .reference(JinjaReference(kind: .cycler, index: cyclers.count - 1))
    case "joiner":
      let separator = try given.bind("Joiner.__init__", optional: ["sep"])[0]
      try make(bytes: 64)
      joiners.append((separator ?? .string(", "), false))
      return .reference(JinjaReference(kind: .joiner, index: joiners.count - 1))
    default:
      throw JinjaFault(
        "\(name)() is not supported in chat templates", cure: "rewrite the template without it")
    }
  }

  /// A mapping or pairs, then names.
  private func dictionary(_ given: JinjaCall) throws -> JinjaDictionary {
    var out = JinjaDictionary()
    guard given.positional.count <= 1 else {
      throw JinjaFault.type("dict expected at most 1 argument, got \(given.positional.count)")
    }
    if let first = given.positional.first {
      if case .dictionary(let members) = first {
        try make(elements: 2 * members.count)
        out = members
      } else {
        for (i, pair) in try elements(first).enumerated() {
          guard try iterator(pair, orNil: true) != nil else {
            throw JinjaFault.type(
              "cannot convert dictionary update sequence element #\(i) to a sequence")
          }
          let pair = try elements(pair)
          guard pair.count == 2 else {
            throw JinjaFault.type(
              "dictionary update sequence element #\(i) has length \(pair.count); 2 is required")
          }
          try set(&out, pair[0], pair[1])
        }
      }
    }
    for (name, value) in given.named { try set(&out, .string(name), value) }
    return out
  }

  private func fromKeys(_ given: JinjaCall) throws -> JinjaValue {
    let values = try given.place("fromkeys", 1...2)
    var out = JinjaDictionary()
    for key in try elements(values[0]) {
      try set(&out, key, values.count > 1 ? values[1] : .none)
    }
    return .dictionary(out)
  }

  /// Largest range that jinja2's sandbox makes.
  private static let longestRange = 100_000

  private func range(_ given: JinjaCall) throws -> JinjaRange {
    guard given.named.isEmpty else {
      throw JinjaFault.type(
        "safe_range() got an unexpected keyword argument '\(given.named[0].name)'")
    }
    guard (1...3).contains(given.positional.count) else {
      let isShort = given.positional.isEmpty
      throw JinjaFault.type(
        "range expected at \(isShort ? "least 1 argument" : "most 3 arguments"), "
          + "got \(given.positional.count)")
    }
    let bounds = try given.positional.map { value in
      if case .undefined(let why) = value { throw JinjaFault.undefined(why) }
      guard let bound = value.asInteger else {
        throw JinjaFault.type(
          "'\(typeName(value))' object cannot be interpreted as an integer")
      }
      return bound
    }
    let step = bounds.count == 3 ? bounds[2] : 1
    guard step != 0 else { throw JinjaFault.type("range() arg 3 must not be zero") }
    let range = JinjaRange(
      start: bounds.count == 1 ? 0 : bounds[0], stop: bounds.count == 1 ? bounds[0] : bounds[1],
      step: step)
    guard range.count <= Self.longestRange else {
      throw JinjaFault(
        "Range too big. The sandbox blocks ranges larger than MAX_RANGE (\(Self.longestRange)).",
        cure: "no conversation is that long; the template is wrong or hostile")
    }
    return range
  }

  private func method(
    of reference: JinjaReference, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    switch (reference.kind, name) {
    case (.loop, _): return try method(of: loop(reference), name, given)
    case (.cycler, "next"):
      _ = try given.bind("Cycler.next")
      let cycler = cyclers[reference.index]
      cyclers[reference.index].place = (cycler.place + 1) % cycler.items.count
      return cycler.items[cycler.place]
    default:
      _ = try given.bind("Cycler.reset")
      cyclers[reference.index].place = 0
      return .none
    }
  }

  // MARK: Macros

  func define(_ macro: JinjaMacro) -> JinjaValue {
    macros.append(Macro(definition: macro, scope: scope))
    return .reference(JinjaReference(kind: .macro, index: macros.count - 1))
  }

  func invoke(_ index: Int, _ given: JinjaCall) throws -> JinjaValue {
    let macro = macros[index]
    let values = try arguments(of: macro.definition, given)
    let (caller, called) = (scope, line)
    scope = JinjaScope(parent: macro.scope)
    defer { scope = caller }
    scope.values.merge(values) { $1 }
    for parameter in macro.definition.parameters where values[parameter.name] == nil {
      // A later parameter is not there yet.
      scope.values[parameter.name] = .undefined(
        "parameter '\(parameter.name)' was not provided")
    }
    enter(macro.definition.frame.names)
    for parameter in macro.definition.parameters where values[parameter.name] == nil {
      if let fallback = parameter.fallback {
        scope.values[parameter.name] = try evaluate(fallback)
      }
    }
    let text = try capture { _ = try execute(macro.definition.frame.body) }
    line = called
    return .string(text)
  }

  /// What the macro's own names hold, parameters without a value left out.
  private func arguments(
    of macro: JinjaMacro, _ given: JinjaCall
  ) throws -> [String: JinjaValue] {
    let parameters = macro.parameters
    let name = macro.name.map(JinjaText.quoted) ?? "None"
    var values: [String: JinjaValue] = [:]
    for (parameter, value) in zip(parameters, given.positional) { values[parameter.name] = value }
    var extra: [(name: String, value: JinjaValue)] = []
    for (key, value) in given.named {
      let isParameter = parameters.contains { $0.name == key }
      if isParameter, values[key] == nil {
        values[key] = value
      } else if key == "caller", macro.usesCaller, !isParameter {
        values[key] = value.isNone ? .undefined("No caller defined") : value
      } else {
        extra.append((key, value))
      }
    }
    if macro.usesCaller, values["caller"] == nil,
      !parameters.contains(where: { $0.name == "caller" })
    {
      values["caller"] = .undefined("No caller defined")
    }
    if macro.usesNamed {
      var members = JinjaDictionary()
      for (key, value) in extra { try set(&members, .string(key), value) }
      values["kwargs"] = .dictionary(members)
    } else if let first = extra.first {
      throw JinjaFault.type(
        extra.contains { $0.name == "caller" }
          ? "macro \(name) was invoked with two values for the special caller argument."
            + " This is most likely a bug."
          : "macro \(name) takes no keyword argument \(JinjaText.quoted(first.name))")
    }
    if macro.usesPositional {
      values["varargs"] = try tuple(Array(given.positional.dropFirst(parameters.count)))
    } else if given.positional.count > parameters.count {
      throw JinjaFault.type(
        "macro \(name) takes not more than \(parameters.count) argument(s)")
    }
    return values
  }
}
