import SparText

/// The type of a column, as its values so far show it.
indirect enum ColumnType: Equatable {
  /// Nulls only.
  case unknown
  case boolean
  case integer
  case number
  case text
  case list(ColumnType)
  case structure([Member])

  struct Member: Equatable {
    var name: String
    var type: ColumnType
  }

  /// Two values that no column can hold both.
  struct Mismatch: Error, Equatable {
    var path: String
    var have: String
    var found: String
  }

  var name: String {
    switch self {
    case .unknown: "null"
    case .boolean: "true|false"
    case .integer, .number: "numbers"
    case .text: "text"
    case .list: "lists"
    case .structure: "objects"
    }
  }

  init(of node: JSONNode, path: String) throws(Mismatch) {
    switch node {
    case .null: self = .unknown
    case .boolean: self = .boolean
    case .integer: self = .integer
    case .number: self = .number
    case .string: self = .text
    case .array(let elements):
      var type = ColumnType.unknown
      for element in elements { try type.widen(by: element, path: path + "[]") }
      self = .list(type)
    case .object(let members):
      var type = ColumnType.structure([])
      try type.widen(members, path: path)
      self = type
    }
  }

  /// Makes room for `node`: integers become numbers, objects get members.
  mutating func widen(by node: JSONNode, path: String) throws(Mismatch) {
    switch (self, node) {
    case (_, .null), (.boolean, .boolean), (.integer, .integer), (.number, .integer),
      (.number, .number), (.text, .string):
      return
    case (.integer, .number): self = .number
    case (.unknown, _): self = try ColumnType(of: node, path: path)
    case (.list(var inner), .array(let elements)):
      for element in elements { try inner.widen(by: element, path: path + "[]") }
      self = .list(inner)
    case (.structure, .object(let members)): try widen(members, path: path)
    default:
      throw Mismatch(path: path, have: name, found: try ColumnType(of: node, path: path).name)
    }
  }

  private mutating func widen(_ members: [JSONMember], path: String) throws(Mismatch) {
    guard case .structure(var fields) = self else { return }
    for member in members {
      let inner = "\(path).\(member.key)"
      if let place = fields.firstIndex(where: { $0.name == member.key }) {
        try fields[place].type.widen(by: member.value, path: inner)
      } else {
        fields.append(
          Member(name: member.key, type: try ColumnType(of: member.value, path: inner)))
      }
    }
    self = .structure(fields)
  }

  /// Parquet has no group without a field, and a column of nulls needs some type.
  var settled: ColumnType {
    switch self {
    case .unknown: .text
    case .list(let inner): .list(inner.settled)
    case .structure(let fields) where fields.isEmpty: .text
    case .structure(let fields):
      .structure(fields.map { Member(name: $0.name, type: $0.type.settled) })
    default: self
    }
  }
}
