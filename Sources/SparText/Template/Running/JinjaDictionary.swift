/// A dictionary that keeps its order, as Python's does.
public struct JinjaDictionary: Sendable {
  public private(set) var keys: [JinjaValue] = []
  public private(set) var values: [JinjaValue] = []
  private var places: [JinjaKey: Int] = [:]
  /// Levels of lists and dictionaries, this one included.
  private(set) var depth: Int32 = 1

  public init() {}

  public var count: Int { keys.count }

  public subscript(_ name: String) -> JinjaValue? {
    get { find(.text(ExactText(name))) }
    set {
      guard let newValue else { return }
      set(.text(ExactText(name)), .string(name), newValue)
    }
  }

  func find(_ key: JinjaKey) -> JinjaValue? { places[key].map { values[$0] } }

  /// `hashed` is the key of `key`. A key that is there already stays as it was written first.
  mutating func set(_ hashed: JinjaKey, _ key: JinjaValue, _ value: JinjaValue) {
    depth = max(depth, value.depth + 1, key.depth + 1)
    if let place = places[hashed] {
      values[place] = value
    } else {
      places[hashed] = keys.count
      keys.append(key)
      values.append(value)
    }
  }

  /// The value under `name`, for a change in place; what takes it must put one back.
  mutating func takeText(_ name: String) -> String? {
    guard let place = places[.text(ExactText(name))], case .string(let text) = values[place]
    else { return nil }
    values[place] = .none
    return text
  }

  var items: [JinjaValue] { zip(keys, values).map { .tuple([$0, $1]) } }
}

/// A text that equals another only byte for byte; Swift's own `==` knows canonical equivalence.
struct ExactText: Hashable, Sendable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (a: ExactText, b: ExactText) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(0xFF as UInt8)
  }
}

/// What makes two keys one: 1, 1.0 and true are the same.
indirect enum JinjaKey: Hashable, Sendable {
  case text(ExactText)
  case integer(Int)
  case number(Double)
  case none
  case undefined
  case tuple([JinjaKey])
  case reference(JinjaReference)
  case range([Int])
}
