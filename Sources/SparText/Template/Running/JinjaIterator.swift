/// Values one after the other, each made when it is asked for. Once read they are gone, as with
/// Python's generators.
final class JinjaIterator {
  let typeName: String
  /// Python's `len`; nil where it has none.
  let count: Int?
  private let pull: () throws -> JinjaValue?

  init(typeName: String, count: Int? = nil, _ pull: @escaping () throws -> JinjaValue?) {
    self.typeName = typeName
    self.count = count
    self.pull = pull
  }

  convenience init(elements: [JinjaValue], typeName: String = "list_iterator") {
    var place = 0
    self.init(typeName: typeName, count: elements.count) {
      guard place < elements.count else { return nil }
      defer { place += 1 }
      return elements[place]
    }
  }

  func next() throws -> JinjaValue? { try pull() }

  func rest() throws -> [JinjaValue] {
    var out: [JinjaValue] = []
    while let value = try pull() { out.append(value) }
    return out
  }
}

extension JinjaInterpreter {
  /// What a loop walks over: elements, keys, or characters.
  func iterator(_ value: JinjaValue) throws -> JinjaIterator {
    guard let iterator = try iterator(value, orNil: true) else {
      throw JinjaFault.type("'\(value.typeName)' object is not iterable")
    }
    return iterator
  }

  func iterator(_ value: JinjaValue, orNil: Bool) throws -> JinjaIterator? {
    switch value {
    case .undefined: return JinjaIterator(elements: [])
    case .reference(let reference) where reference.kind == .iterator:
      return iterators[reference.index]
    case .reference(let reference) where reference.kind == .loop:
      throw JinjaFault(
        "looping over `loop` itself is not supported in chat templates",
        cure: "loop over the values")
    default:
      if let text = value.asText { return JinjaIterator(elements: try characters(of: text)) }
      if let count = value.count, value.plainElements != nil { try make(elements: count) }
      return value.plainElements.map { JinjaIterator(elements: $0) }
    }
  }

  /// All that `value` holds, as `list(value)` gives it.
  func elements(_ value: JinjaValue) throws -> [JinjaValue] {
    if let text = value.asText { return try characters(of: text) }
    if case .reference = value {
      let source = try iterator(value)
      var out: [JinjaValue] = []
      while let next = try source.next() {
        try make(elements: 1)
        out.append(next)
      }
      return out
    }
    if value.isUndefined { return [] }
    guard let count = value.count else {
      throw JinjaFault.type("'\(value.typeName)' object is not iterable")
    }
    try make(elements: count)
    return value.plainElements ?? []
  }

  private func characters(of text: String) throws -> [JinjaValue] {
    try make(elements: text.utf8.count)
    return text.unicodeScalars.map { .string(String($0)) }
  }

  /// A Python generator.
  func generator(
    _ typeName: String = "generator", _ pull: @escaping () throws -> JinjaValue?
  ) throws -> JinjaValue {
    try make(bytes: 128)
    iterators.append(JinjaIterator(typeName: typeName, pull))
    return .reference(JinjaReference(kind: .iterator, index: iterators.count - 1))
  }

  func typeName(_ value: JinjaValue) -> String {
    guard case .reference(let reference) = value, reference.kind == .iterator else {
      return value.typeName
    }
    return iterators[reference.index].typeName
  }

  func equal(_ a: JinjaValue, _ b: JinjaValue) throws -> Bool {
    try JinjaValue.equal(a, b) { try spend() }
  }

  func key(_ value: JinjaValue) throws -> JinjaKey {
    try JinjaKey(value) { try spend() }
  }

  func set(
    _ dictionary: inout JinjaDictionary, _ key: JinjaValue, _ value: JinjaValue
  ) throws {
    try make(elements: 2)
    dictionary.set(try self.key(key), key, value)
    try checkNesting(dictionary.depth)
  }
}
