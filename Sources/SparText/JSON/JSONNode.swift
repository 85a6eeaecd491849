/// A JSON value that keeps the order of its members.
///
/// Foundation's dictionaries forget the order, and chat templates print it; its bridging also
/// costs 0.5 s on a tokenizer of 3 MB.
enum JSONNode: Equatable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONNode])
  case object([JSONMember])
}

struct JSONMember: Equatable, Sendable {
  var key: String
  var value: JSONNode
}

extension JSONNode {
  /// The last member of that name, as Python's `json` keeps it; nil where absent or no object.
  subscript(key: String) -> JSONNode? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  var isNull: Bool { self == .null }

  /// What it is, for error messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  var string: String? {
    if case .string(let value) = self { value } else { nil }
  }
  var boolean: Bool? {
    if case .boolean(let value) = self { value } else { nil }
  }
  var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }
  var array: [JSONNode]? {
    if case .array(let value) = self { value } else { nil }
  }
  var members: [JSONMember]? {
    if case .object(let value) = self { value } else { nil }
  }
}

/// What stopped the parser, and at which byte.
struct JSONSyntaxError: Error, Equatable {
  var what: String
  var offset: Int
}
