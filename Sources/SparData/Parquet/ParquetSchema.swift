/// A column's fields as a tree, with the levels at which they are there.
///
/// Source: Melnik et al. 2010, "Dremel", section 4; Parquet's LogicalTypes.md for lists and maps.
struct ParquetSchema {
  /// A field and the leaves below it, which are contiguous.
  struct Field {
    var name: String
    var shape: Shape
    /// A leaf's definition level from which on this field is not null.
    var definition: Int
    var isOptional: Bool
    var leaves: Range<Int>
  }

  indirect enum Shape {
    case leaf
    case structure([Field])
    /// `definition`: level from which on there is an element; `repetition`: of further elements.
    case list(Field, definition: Int, repetition: Int)
    case map(key: Field, value: Field?, definition: Int, repetition: Int)
  }

  struct Leaf {
    var path: String
    var type: PhysicalType
    var logical: LogicalType?
    var definition: Int
    var repetition: Int
  }

  private(set) var fields: [Field] = []
  private(set) var leaves: [Leaf] = []
  private let elements: [ParquetFooter.Element]
  private var at = 1
  private var pathBytes = 0

  init(_ elements: [ParquetFooter.Element]) throws(ParquetFault) {
    self.elements = elements
    guard let root = elements.first, root.children >= 0 else {
      throw ParquetFault(what: "the schema is empty")
    }
    var fields: [Field] = []
    for _ in 0..<min(root.children, elements.count) {
      fields.append(try field(Level(), depth: 0))
    }
    guard at == elements.count else { throw ParquetFault(what: "the schema has loose fields") }
    self.fields = fields
  }

  /// Where in the tree a field stands.
  private struct Level {
    var definition = 0
    var repetition = 0
    var path = ""
  }

  private func peek() throws(ParquetFault) -> ParquetFooter.Element {
    guard at < elements.count else { throw ParquetFault(what: "the schema ends too early") }
    return elements[at]
  }

  /// The field at hand; one that is repeated by itself is a list of what cannot be null.
  private mutating func field(_ outer: Level, depth: Int) throws(ParquetFault) -> Field {
    let element = try peek()
    guard element.repetition == 2 else { return try once(outer, depth: depth) }
    var inner = outer
    inner.definition += 1
    inner.repetition += 1
    let first = leaves.count
    let repeated = try once(inner, depth: depth, isElement: true)
    return Field(
      name: element.name,
      shape: .list(repeated, definition: inner.definition, repetition: inner.repetition),
      definition: outer.definition, isOptional: false, leaves: first..<leaves.count)
  }

  /// The field at hand without its own repetition.
  private mutating func once(
    _ outer: Level, depth: Int, isElement: Bool = false
  ) throws(ParquetFault) -> Field {
    guard depth < 64 else { throw ParquetFault(what: "the schema nests too deeply") }
    let element = try peek()
    at += 1
    var level = outer
    level.path += (outer.path.isEmpty ? "" : ".") + element.name
    // A group's name is in the path of every column below it.
    pathBytes += level.path.utf8.count
    guard pathBytes <= DataLimits.footerBytes else {
      throw ParquetFault(what: "the paths of the columns are too long")
    }
    let isOptional = element.repetition == 1 && !isElement
    if isOptional { level.definition += 1 }
    let first = leaves.count
    let logical =
      element.logical ?? LogicalType(converted: element.converted, scale: element.scale)
    let shape: Shape
    if element.children == 0, let type = element.type {
      leaves.append(
        Leaf(
          path: level.path, type: try PhysicalType(type, length: element.typeLength),
          logical: logical, definition: level.definition, repetition: level.repetition))
      shape = .leaf
    } else {
      let isRepeated = element.children == 1 && at < elements.count && elements[at].repetition == 2
      switch logical {
      case .list where isRepeated: shape = try list(level, named: element.name, depth: depth)
      case .map where isRepeated: shape = try map(level, depth: depth)
      default:
        shape = .structure(try children(element.children, level, depth: depth))
      }
    }
    guard leaves.count > first else {
      throw ParquetFault(
        what: "the group \(level.path) has no column", cure: "leave it out when writing")
    }
    return Field(
      name: element.name, shape: shape, definition: level.definition, isOptional: isOptional,
      leaves: first..<leaves.count)
  }

  private mutating func children(
    _ count: Int, _ level: Level, depth: Int
  ) throws(ParquetFault) -> [Field] {
    guard count >= 0, count <= elements.count - at else {
      throw ParquetFault(what: "the schema ends too early")
    }
    var fields: [Field] = []
    for _ in 0..<count { fields.append(try field(level, depth: depth + 1)) }
    return fields
  }

  /// The repeated field holds the element, or (in files of old writers) is the element.
  private mutating func list(
    _ level: Level, named name: String, depth: Int
  ) throws(ParquetFault) -> Shape {
    let repeated = try peek()
    var inner = level
    inner.definition += 1
    inner.repetition += 1
    let isElement =
      repeated.children != 1 || repeated.name == "array" || repeated.name == name + "_tuple"
    let element: Field
    if isElement {
      element = try once(inner, depth: depth + 1, isElement: true)
    } else {
      at += 1
      inner.path += ".\(repeated.name)"
      element = try field(inner, depth: depth + 1)
    }
    return .list(element, definition: inner.definition, repetition: inner.repetition)
  }

  private mutating func map(_ level: Level, depth: Int) throws(ParquetFault) -> Shape {
    let repeated = try peek()
    at += 1
    var inner = level
    inner.definition += 1
    inner.repetition += 1
    inner.path += ".\(repeated.name)"
    let fields = try children(repeated.children, inner, depth: depth + 1)
    guard let key = fields.first, fields.count <= 2 else {
      throw ParquetFault(what: "the map \(level.path) has no key")
    }
    return .map(
      key: key, value: fields.count == 2 ? fields[1] : nil, definition: inner.definition,
      repetition: inner.repetition)
  }
}

/// How a value's bytes are laid out.
enum PhysicalType: Equatable {
  case boolean
  case int32
  case int64
  case int96
  case float
  case double
  case bytes
  case fixed(Int)

  init(_ raw: Int, length: Int) throws(ParquetFault) {
    switch raw {
    case 0: self = .boolean
    case 1: self = .int32
    case 2: self = .int64
    case 3: self = .int96
    case 4: self = .float
    case 5: self = .double
    case 6: self = .bytes
    case 7:
      guard length > 0, length <= 1 << 20 else {
        throw ParquetFault(what: "a column's values have \(length) bytes each")
      }
      self = .fixed(length)
    default: throw ParquetFault(what: "the schema holds the unknown type \(raw)")
    }
  }

  /// Bytes of a value; nil where they vary or are bits.
  var width: Int? {
    switch self {
    case .boolean, .bytes: nil
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .fixed(let width): width
    }
  }
}
