/// A value in a template: Python's, as far as templates see it.
public indirect enum JinjaValue: Sendable {
  /// A name or member that is not there; carries what Python would say on use.
  case undefined(String)
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list([JinjaValue])
  case tuple([JinjaValue])
  case dictionary(JinjaDictionary)
  /// Something that lives in the running interpreter: a namespace, a macro, a function, a loop.
  case reference(JinjaReference)
  /// A method with its receiver, not yet called.
  case method(JinjaValue, String)
}

/// Where the interpreter keeps an object; meaningless outside the rendering that made it.
public struct JinjaReference: Equatable, Hashable, Sendable {
  enum Kind: Hashable, Sendable { case namespace, macro, loop, cycler, joiner, caller }
  var kind: Kind
  var index: Int
}

/// A dictionary that keeps its order, as Python's does.
public struct JinjaDictionary: Sendable {
  public private(set) var keys: [JinjaValue] = []
  public private(set) var values: [JinjaValue] = []
  private var places: [Key: Int] = [:]

  /// Strings by their exact bytes, not by canonical equivalence; 1, 1.0 and true are one key.
  private enum Key: Hashable {
    case text([UInt8])
    case number(Double)
    case none
  }

  public init() {}

  public var count: Int { keys.count }

  private static func key(_ value: JinjaValue) -> Key? {
    switch value {
    case .string(let text): .text(Array(text.utf8))
    case .integer(let number): .number(Double(number))
    case .number(let number): .number(number)
    case .boolean(let flag): .number(flag ? 1 : 0)
    case .none: Key.none
    default: nil
    }
  }

  public subscript(_ name: String) -> JinjaValue? {
    get { find(.string(name)) }
    set {
      guard let newValue else { return }
      _ = set(.string(name), newValue)
    }
  }

  func find(_ key: JinjaValue) -> JinjaValue? {
    guard let key = Self.key(key), let place = places[key] else { return nil }
    return values[place]
  }

  /// False where the key is of a type that cannot be one.
  mutating func set(_ key: JinjaValue, _ value: JinjaValue) -> Bool {
    guard let hashed = Self.key(key) else { return false }
    if let place = places[hashed] {
      values[place] = value
    } else {
      places[hashed] = keys.count
      keys.append(key)
      values.append(value)
    }
    return true
  }

  var items: [JinjaValue] { zip(keys, values).map { .tuple([$0, $1]) } }
}

extension JinjaValue: Equatable {
  /// Python's `==`: numbers by value whatever their type, strings by their code points.
  public static func == (a: JinjaValue, b: JinjaValue) -> Bool {
    switch (a, b) {
    case (.undefined, .undefined), (.none, .none): true
    case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
    case (.list(let x), .list(let y)), (.tuple(let x), .tuple(let y)): x == y
    case (.dictionary(let x), .dictionary(let y)):
      x.count == y.count && zip(x.keys, x.values).allSatisfy { y.find($0) == $1 }
    case (.reference(let x), .reference(let y)): x == y
    case (.method(let x, let name), .method(let y, let other)): name == other && x == y
    case (.integer(let x), .integer(let y)): x == y
    default: if let x = a.asNumber, let y = b.asNumber { x == y } else { false }
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

  /// Python's `bool(x)`.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let flag): flag
    case .integer(let value): value != 0
    case .number(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let elements), .tuple(let elements): !elements.isEmpty
    case .dictionary(let members): members.count > 0
    case .reference, .method: true
    }
  }

  /// Python's name of the type, for messages.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .boolean: "bool"
    case .integer: "int"
    case .number: "float"
    case .string: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .reference(let reference):
      switch reference.kind {
      case .namespace: "Namespace"
      case .macro, .caller: "Macro"
      case .loop: "LoopContext"
      case .cycler: "Cycler"
      case .joiner: "Joiner"
      }
    case .method: "builtin_function_or_method"
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
