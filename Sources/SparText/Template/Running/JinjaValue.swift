/// A value in a template: Python's, as far as templates see it.
public enum JinjaValue: Sendable {
  /// A name or member that is not there; carries what Python would say on use.
  case undefined(String)
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  /// Text that `safe` or `escape` marked: joined with other text it escapes that.
  case markup(String)
  case list(JinjaList)
  case tuple(JinjaList)
  indirect case dictionary(JinjaDictionary)
  indirect case range(JinjaRange)
  /// What `items()`, `keys()` and `values()` give.
  indirect case view(JinjaDictionary, JinjaViewKind)
  /// Something that lives in the running interpreter: a namespace, a macro, a loop, an iterator.
  case reference(JinjaReference)
  /// A method with its receiver, not yet called; of `none`, a global function.
  indirect case method(JinjaValue, String)
}

/// The elements of a list or tuple, and how deep they nest: 1 for plain values.
public struct JinjaList: Sendable, ExpressibleByArrayLiteral {
  public let elements: [JinjaValue]
  let depth: Int32
  /// A pair of `groupby`, whose halves have names.
  var isGroup = false

  public init(_ elements: [JinjaValue]) {
    self.elements = elements
    var depth: Int32 = 0
    for element in elements { depth = max(depth, element.depth) }
    self.depth = depth + 1
  }

  public init(arrayLiteral elements: JinjaValue...) {
    self.init(elements)
  }
}

public enum JinjaViewKind: String, Sendable {
  case keys = "dict_keys"
  case values = "dict_values"
  case items = "dict_items"
}

/// Python's `range(start, stop, step)`; step is not 0.
public struct JinjaRange: Sendable {
  var start: Int
  var stop: Int
  var step: Int
  let count: Int

  init(start: Int, stop: Int, step: Int) {
    self.start = start
    self.stop = stop
    self.step = step
    let isEmpty = step > 0 ? start >= stop : start <= stop
    let span = isEmpty ? 0 : start.distanceMagnitude(to: stop)
    let count = isEmpty ? 0 : (span - 1) / step.magnitude + 1
    self.count = Int(clamping: count)
  }

  /// What is in the range fits, though the way there need not.
  subscript(index: Int) -> JinjaValue { .integer(start &+ index &* step) }
  var elements: [JinjaValue] { (0..<count).map { self[$0] } }
}

extension Int {
  fileprivate func distanceMagnitude(to other: Int) -> UInt {
    other >= self
      ? UInt(bitPattern: other) &- UInt(bitPattern: self)
      : UInt(bitPattern: self) &- UInt(bitPattern: other)
  }
}

/// Where the interpreter keeps an object; meaningless outside the rendering that made it.
public struct JinjaReference: Equatable, Hashable, Sendable {
  enum Kind: Hashable, Sendable { case namespace, macro, loop, cycler, joiner, iterator }
  var kind: Kind
  var index: Int
}

extension JinjaValue {
  public static func list(_ elements: [JinjaValue]) -> JinjaValue { .list(JinjaList(elements)) }
  public static func tuple(_ elements: [JinjaValue]) -> JinjaValue { .tuple(JinjaList(elements)) }

  /// Levels of lists and dictionaries.
  var depth: Int32 {
    switch self {
    case .list(let list), .tuple(let list): list.depth
    case .dictionary(let members), .view(let members, _): members.depth
    case .method(let base, _): base.depth + 1
    default: 0
    }
  }

  /// A string's text, marked or not.
  var asText: String? {
    switch self {
    case .string(let text), .markup(let text): text
    default: nil
    }
  }

  /// Booleans count as 0 and 1.
  var asNumber: Double? {
    switch self {
    case .boolean(let flag): flag ? 1 : 0
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  var asInteger: Int? {
    switch self {
    case .boolean(let flag): flag ? 1 : 0
    case .integer(let value): value
    default: nil
    }
  }

  var isUndefined: Bool {
    if case .undefined = self { true } else { false }
  }

  var isNone: Bool {
    if case .none = self { true } else { false }
  }

  /// Python's `bool(x)`.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let flag): flag
    case .integer(let value): value != 0
    case .number(let value): value != 0
    case .string(let text), .markup(let text): !text.isEmpty
    case .list(let list), .tuple(let list): !list.elements.isEmpty
    case .dictionary(let members), .view(let members, _): members.count > 0
    case .range(let range): range.count > 0
    case .reference, .method: true
    }
  }

  /// The elements of a list, tuple, range or view, or a dictionary's keys; nil for others.
  var plainElements: [JinjaValue]? {
    switch self {
    case .list(let list), .tuple(let list): list.elements
    case .dictionary(let members): members.keys
    case .range(let range): range.elements
    case .view(let members, .keys): members.keys
    case .view(let members, .values): members.values
    case .view(let members, .items): members.items
    default: nil
    }
  }

  /// Python's `len(x)`; nil where there is none. Counts code points of a text.
  var count: Int? {
    switch self {
    case .undefined: 0
    case .string(let text), .markup(let text): text.unicodeScalars.count
    case .list(let list), .tuple(let list): list.elements.count
    case .dictionary(let members), .view(let members, _): members.count
    case .range(let range): range.count
    default: nil
    }
  }
}

extension JinjaValue {
  init(node: JSONNode) {
    switch node {
    case .null: self = .none
    case .boolean(let flag): self = .boolean(flag)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .list(elements.map(JinjaValue.init(node:)))
    case .object(let members):
      var dictionary = JinjaDictionary()
      for member in members { dictionary[member.key] = JinjaValue(node: member.value) }
      self = .dictionary(dictionary)
    }
  }
}
