/// Filters on lists, dictionaries and texts as sequences.
extension JinjaInterpreter {
  /// nil where `name` is none of them.
  func sequenceFilter(
    _ name: String, _ value: JinjaValue, _ given: JinjaCall
  ) throws -> JinjaValue? {
    switch name {
    case "length", "count": return .integer(try length(value))
    case "items":
      switch value {
      case .undefined: return .list([])
      case .dictionary(let members): return .list(members.items)
      default: throw JinjaFault.type("Can only get item pairs from a mapping.")
      }
    case "list": return .list(try counted(value))
    case "first", "last":
      let items = try counted(value)
      return (name == "first" ? items.first : items.last)
        ?? .undefined("No \(name) item, sequence was empty.")
    case "join": return .string(try joined(value, given))
    case "reverse":
      if case .string(let text) = value {
        return .string(String(String.UnicodeScalarView(text.unicodeScalars.reversed())))
      }
      return .list(try counted(value).reversed())
    case "map": return .list(try mapped(value, given))
    case "select", "reject": return .list(try selected(value, given, keeps: name == "select"))
    case "selectattr", "rejectattr":
      return .list(try selectedByAttribute(value, given, keeps: name == "selectattr"))
    case "unique": return .list(try unique(value, given))
    case "sort":
      let isReverse = given.value(0, "reverse")?.isTrue ?? false
      let sorted = try sorted(
        counted(value), by: given.value(2, "attribute"),
        exactCase: given.value(1, "case_sensitive")?.isTrue ?? false, reverse: isReverse)
      return .list(sorted)
    case "dictsort": return .list(try dictionarySorted(value, given))
    case "min", "max":
      let items = try sorted(
        counted(value), by: given.value(1, "attribute"),
        exactCase: given.value(0, "case_sensitive")?.isTrue ?? false, reverse: name == "max")
      return items.first ?? .undefined("No aggregated item, sequence was empty.")
    case "sum":
      var total = given.value(1, "start") ?? .integer(0)
      for item in try counted(value) {
        total = try combine(total, "+", member(item, given.value(0, "attribute")))
      }
      return total
    case "batch": return .list(try batches(value, given))
    case "groupby": return .list(try groups(value, given))
    default: return nil
    }
  }

  private func counted(_ value: JinjaValue) throws -> [JinjaValue] {
    let items = try elements(value)
    try spend(bytes: 16 * items.count)
    return items
  }

  private func length(_ value: JinjaValue) throws -> Int {
    switch value {
    case .list(let elements), .tuple(let elements): return elements.count
    case .dictionary(let members): return members.count
    case .string(let text):
      try spend(bytes: text.utf8.count)
      return text.unicodeScalars.count
    case .undefined: return 0
    default: throw JinjaFault.type("object of type '\(value.typeName)' has no len()")
    }
  }

  /// `item.a.b.0` for the attribute "a.b.0"; the item itself for none.
  private func member(_ item: JinjaValue, _ path: JinjaValue?) throws -> JinjaValue {
    guard let path, path != .none else { return item }
    guard case .string(let text) = path else { return try self.item(of: item, path) }
    var value = item
    for part in text.split(separator: ".", omittingEmptySubsequences: false) {
      let key = Int(part).map(JinjaValue.integer) ?? .string(String(part))
      value = try self.item(of: value, key)
    }
    return value
  }

  private func joined(_ value: JinjaValue, _ given: JinjaCall) throws -> String {
    let path = given.value(1, "attribute")
    let parts = try counted(value).map { try member($0, path) }
    return try join(parts, given.value(0, "d")?.text ?? "")
  }

  private func mapped(_ value: JinjaValue, _ given: JinjaCall) throws -> [JinjaValue] {
    let items = try counted(value)
    if given.positional.isEmpty, let path = given.named.first(where: { $0.name == "attribute" }) {
      let fallback = given.named.first { $0.name == "default" }?.value
      return try items.map { item in
        try spend()
        let found = try member(item, path.value)
        return found.isUndefined ? fallback ?? found : found
      }
    }
    let name = try textArgument(given, 0, "filter", of: "map")
    let rest = given.dropFirst()
    return try items.map { item in
      try spend()
      return try filter(name, item, rest)
    }
  }

  private func selected(
    _ value: JinjaValue, _ given: JinjaCall, keeps: Bool
  ) throws -> [JinjaValue] {
    try counted(value).filter { item in
      try spend()
      return try passes(item, given) == keeps
    }
  }

  private func selectedByAttribute(
    _ value: JinjaValue, _ given: JinjaCall, keeps: Bool
  ) throws -> [JinjaValue] {
    let path = try argument(given, 0, "attribute", of: "selectattr")
    let rest = given.dropFirst()
    return try counted(value).filter { item in
      try spend()
      return try passes(member(item, path), rest) == keeps
    }
  }

  /// The test named first in the call, or truth.
  private func passes(_ value: JinjaValue, _ given: JinjaCall) throws -> Bool {
    guard !given.positional.isEmpty else { return value.isTrue }
    let name = try textArgument(given, 0, "test", of: "select")
    return try test(name, value, given.dropFirst())
  }

  /// What sorting compares: texts without case, unless asked otherwise.
  private func folded(_ value: JinjaValue, exactCase: Bool) -> JinjaValue {
    if !exactCase, case .string(let text) = value { .string(text.lowercased()) } else { value }
  }

  private func sorted(
    _ items: [JinjaValue], by path: JinjaValue?, exactCase: Bool, reverse: Bool
  ) throws -> [JinjaValue] {
    let keyed = try items.map { item in
      (key: folded(try member(item, path), exactCase: exactCase), item: item)
    }
    // Swift's sort is stable; with the operands swapped, equal items keep their order as well.
    return try keyed.sorted { a, b in
      try spend()
      return try reverse ? precedes(b.key, a.key, "<") : precedes(a.key, b.key, "<")
    }.map(\.item)
  }

  private func dictionarySorted(_ value: JinjaValue, _ given: JinjaCall) throws -> [JinjaValue] {
    guard case .dictionary(let members) = value else {
      throw JinjaFault.type("'\(value.typeName)' object has no attribute 'items'")
    }
    let byValue = (given.value(1, "by")?.text ?? "key") == "value"
    return try sorted(
      members.items, by: .integer(byValue ? 1 : 0),
      exactCase: given.value(0, "case_sensitive")?.isTrue ?? false,
      reverse: given.value(2, "reverse")?.isTrue ?? false)
  }

  private func unique(_ value: JinjaValue, _ given: JinjaCall) throws -> [JinjaValue] {
    let exactCase = given.value(0, "case_sensitive")?.isTrue ?? false
    var seen = JinjaDictionary()
    return try counted(value).filter { item in
      let key = folded(try member(item, given.value(1, "attribute")), exactCase: exactCase)
      guard seen.find(key) == nil else { return false }
      guard seen.set(key, .none) else {
        throw JinjaFault.type("unhashable type: '\(key.typeName)'")
      }
      return true
    }
  }

  private func batches(_ value: JinjaValue, _ given: JinjaCall) throws -> [JinjaValue] {
    guard let count = try argument(given, 0, "linecount", of: "batch").asInteger, count > 0 else {
      throw JinjaFault.type("batch() needs a positive number")
    }
    let items = try counted(value)
    return stride(from: 0, to: items.count, by: count).map { start in
      var row = Array(items[start..<min(start + count, items.count)])
      if let filler = given.value(1, "fill_with"), row.count < count {
        row += Array(repeating: filler, count: count - row.count)
      }
      return .list(row)
    }
  }

  private func groups(_ value: JinjaValue, _ given: JinjaCall) throws -> [JinjaValue] {
    let path = try argument(given, 0, "attribute", of: "groupby")
    let items = try sorted(counted(value), by: path, exactCase: false, reverse: false)
    var out: [(key: JinjaValue, items: [JinjaValue])] = []
    for item in items {
      let key = try member(item, path)
      if let last = out.last,
        folded(last.key, exactCase: false) == folded(key, exactCase: false)
      {
        out[out.count - 1].items.append(item)
      } else {
        out.append((key, [item]))
      }
    }
    return out.map { .tuple([$0.key, .list($0.items)]) }
  }
}
