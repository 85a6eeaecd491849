/// `x.name` and `x[index]` as jinja2's sandbox finds them.
extension JinjaInterpreter {
  /// `x.name`: a method or field of the object first, then its item.
  func attribute(of base: JinjaValue, _ name: String) throws -> JinjaValue {
    if case .undefined(let why) = base {
      if JinjaLibrary.isInternal(name) { return unsafe(base, name) }
      throw JinjaFault.undefined(why)
    }
    if let member = try member(of: base, name) { return member }
    if case .dictionary(let members) = base, let value = members[name] { return value }
    return .undefined("'\(objectName(base))' has no attribute \(JinjaText.quoted(name))")
  }

  /// `x[index]`: an item first, then an attribute of that name.
  func item(of base: JinjaValue, _ index: JinjaValue) throws -> JinjaValue {
    switch (base, index) {
    case (.undefined(let why), _): throw JinjaFault.undefined(why)
    case (.dictionary(let members), .string(let name)):
      if let value = members[name] { return value }
    case (.dictionary(let members), _):
      // An unhashable index is a TypeError, which jinja2 takes for an absent item.
      if let key = try hashable(index), let value = members.find(key) { return value }
    case (.list(let list), _), (.tuple(let list), _):
      if let place = index.asInteger {
        let place = place < 0 ? place + list.elements.count : place
        if list.elements.indices.contains(place) { return list.elements[place] }
      }
    case (.range(let range), _):
      if let place = index.asInteger {
        let place = place < 0 ? place + range.count : place
        if place >= 0, place < range.count { return range[place] }
      }
    case (.string(let text), _), (.markup(let text), _):
      if let place = index.asInteger, let found = try character(of: text, place) { return found }
    default: break
    }
    if let name = index.asText {
      if let member = try member(of: base, name) { return member }
      return .undefined("'\(objectName(base))' has no attribute \(JinjaText.quoted(name))")
    }
    return .undefined("\(objectName(base)) has no element \(try representation(index))")
  }

  private func hashable(_ value: JinjaValue) throws -> JinjaKey? {
    switch value {
    case .list, .dictionary, .view, .method: nil
    case .tuple(let list) where list.depth > 1: try key(value)
    default: try key(value)
    }
  }

  private func character(of text: String, _ place: Int) throws -> JinjaValue? {
    let scalars = text.unicodeScalars
    if place >= 0, place < 64 {
      guard
        let at = scalars.index(scalars.startIndex, offsetBy: place, limitedBy: scalars.endIndex),
        at < scalars.endIndex
      else { return nil }
      return .string(String(scalars[at]))
    }
    try spend(bytes: text.utf8.count)
    let count = scalars.count
    let place = place < 0 ? place + count : place
    guard place >= 0, place < count else { return nil }
    return .string(String(scalars[scalars.index(scalars.startIndex, offsetBy: place)]))
  }

  func objectName(_ value: JinjaValue) -> String {
    if case .reference(let reference) = value, reference.kind == .iterator {
      return "\(iterators[reference.index].typeName) object"
    }
    return value.objectName
  }

  /// What Python's `getattr` finds; nil where it finds nothing.
  private func member(of base: JinjaValue, _ name: String) throws -> JinjaValue? {
    if name.hasPrefix("_") {
      guard JinjaLibrary.isInternal(name) else { return nil }
      return unsafe(base, name)
    }
    switch base {
    case .string, .markup: return JinjaLibrary.string.contains(name) ? .method(base, name) : nil
    case .dictionary:
      if JinjaLibrary.mutatingDictionary.contains(name) { return unsafe(base, name) }
      return JinjaLibrary.dictionary.contains(name) ? .method(base, name) : nil
    case .list:
      if JinjaLibrary.mutatingList.contains(name) { return unsafe(base, name) }
      return JinjaLibrary.list.contains(name) ? .method(base, name) : nil
    case .tuple(let list):
      if list.isGroup, name == "grouper" { return list.elements[0] }
      if list.isGroup, name == "list" { return list.elements[1] }
      return name == "index" || name == "count" ? .method(base, name) : nil
    case .integer, .boolean: return try numberMember(base, name, JinjaLibrary.integer)
    case .number: return try numberMember(base, name, JinjaLibrary.float)
    case .range(let range):
      switch name {
      case "start": return .integer(range.start)
      case "stop": return .integer(range.stop)
      case "step": return .integer(range.step)
      case "index", "count": return .method(base, name)
      default: return nil
      }
    case .view: return name == "isdisjoint" || name == "mapping" ? try refused(base, name) : nil
    case .reference(let reference): return try member(of: reference, name)
    case .method(.none, "dict"): return name == "fromkeys" ? .method(base, name) : nil
    case .none, .undefined, .method: return nil
    }
  }

  private func numberMember(
    _ base: JinjaValue, _ name: String, _ known: Set<String>
  ) throws -> JinjaValue? {
    switch name {
    case "real", "numerator":
      guard known.contains(name) else { return nil }
      return base.asInteger.map(JinjaValue.integer) ?? base
    case "imag":
      if case .number = base { return .number(0) }
      return .integer(0)
    case "denominator": return known.contains(name) ? .integer(1) : nil
    case "is_integer": return known.contains(name) ? .method(base, name) : nil
    default: return known.contains(name) ? try refused(base, name) : nil
    }
  }

  private func refused(_ base: JinjaValue, _ name: String) throws -> JinjaValue {
    throw JinjaFault(
      "\(typeName(base)).\(name) is not supported in chat templates",
      cure: "rewrite the template without it")
  }

  private func unsafe(_ base: JinjaValue, _ name: String) -> JinjaValue {
    .undefined(
      "access to attribute \(JinjaText.quoted(name)) of \(JinjaText.quoted(typeName(base))) "
        + "object is unsafe.")
  }

  private func member(of reference: JinjaReference, _ name: String) throws -> JinjaValue? {
    let base = JinjaValue.reference(reference)
    switch reference.kind {
    case .namespace: return namespaces[reference.index][name]
    case .loop: return try member(of: loop(reference), name, base)
    case .macro:
      let macro = macros[reference.index].definition
      switch name {
      case "name": return macro.name.map(JinjaValue.string) ?? JinjaValue.none
      case "arguments": return .tuple(macro.parameters.map { .string($0.name) })
      case "caller": return .boolean(macro.usesCaller)
      case "catch_kwargs": return .boolean(macro.usesNamed)
      case "catch_varargs": return .boolean(macro.usesPositional)
      case "explicit_caller":
        return .boolean(macro.parameters.contains { $0.name == "caller" })
      default: return nil
      }
    case .cycler:
      let cycler = cyclers[reference.index]
      switch name {
      case "current": return cycler.items[cycler.place]
      case "items": return .tuple(cycler.items)
      case "pos": return .integer(cycler.place)
      case "next", "reset": return .method(base, name)
      default: return nil
      }
    case .joiner:
      switch name {
      case "sep": return joiners[reference.index].separator
      case "used": return .boolean(joiners[reference.index].isUsed)
      default: return nil
      }
    case .iterator:
      return ["send", "throw", "close"].contains(name) ? try refused(base, name) : nil
    }
  }
}
