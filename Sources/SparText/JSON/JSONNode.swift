/// A JSON value that keeps the order of its members.
///
/// Foundation's dictionaries forget the order, and chat templates print it; its bridging also
/// costs 0.5 s on a tokenizer of 3 MB.
public enum JSONNode: Equatable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONNode])
  case object([JSONMember])
}

public struct JSONMember: Equatable, Sendable {
  public var key: String
  public var value: JSONNode

  public init(key: String, value: JSONNode) {
    self.key = key
    self.value = value
  }
}

extension JSONNode {
  /// The last member of that name, as Python's `json` keeps it; nil where absent or no object.
  public subscript(key: String) -> JSONNode? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  public var isNull: Bool { self == .null }

  /// What it is, for error messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }
  public var boolean: Bool? {
    if case .boolean(let value) = self { value } else { nil }
  }
  public var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }
  public var array: [JSONNode]? {
    if case .array(let value) = self { value } else { nil }
  }
  public var members: [JSONMember]? {
    if case .object(let value) = self { value } else { nil }
  }
}

/// What stopped the parser, and at which byte.
public struct JSONSyntaxError: Error, Equatable {
  public var what: String
  public var offset: Int
}
