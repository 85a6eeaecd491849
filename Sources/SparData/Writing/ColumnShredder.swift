import CZstd
import SparText

/// Values and levels of one leaf column of the row group at hand, cut into pages.
struct LeafColumn {
  let path: [String]
  let type: ColumnType
  let largestDefinition: Int
  let largestRepetition: Int
  private var repetitions: [UInt8] = []
  private var definitions: [UInt8] = []
  private var values: [UInt8] = []
  private var booleans: [Bool] = []
  /// Finished pages with their headers, and what they were before compression.
  private(set) var pages: [UInt8] = []
  private(set) var plainSize = 0
  private(set) var count = 0

  /// Where a page ends, at the next row.
  static let pageBytes = 1 << 20

  init(path: [String], type: ColumnType, definition: Int, repetition: Int) {
    self.path = path
    self.type = type
    largestDefinition = definition
    largestRepetition = repetition
  }

  mutating func addNull(repetition: Int, definition: Int) {
    repetitions.append(UInt8(repetition))
    definitions.append(UInt8(definition))
  }

  mutating func add(_ node: JSONNode, repetition: Int) {
    addNull(repetition: repetition, definition: largestDefinition)
    switch (type, node) {
    case (.boolean, .boolean(let value)): booleans.append(value)
    case (.integer, .integer(let value)): append(UInt64(bitPattern: Int64(value)))
    case (.number, .integer(let value)): append(Double(value).bitPattern)
    case (.number, .number(let value)): append(value.bitPattern)
    case (.text, .string(let text)):
      withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { values.append(contentsOf: $0) }
      values.append(contentsOf: text.utf8)
    default: preconditionFailure("a value of another type than its column")
    }
  }

  private mutating func append(_ bits: UInt64) {
    withUnsafeBytes(of: bits.littleEndian) { values.append(contentsOf: $0) }
  }

  /// Memory in use, about.
  var size: Int { values.count + pages.count + 2 * repetitions.count }

  mutating func endRow() {
    if values.count >= Self.pageBytes || repetitions.count >= 1 << 17 { endPage() }
  }

  mutating func endPage() {
    guard !repetitions.isEmpty else { return }
    if type == .boolean {
      for start in stride(from: 0, to: booleans.count, by: 8) {
        let eight = booleans[start..<min(start + 8, booleans.count)]
        values.append(
          eight.enumerated().reduce(0) { $0 | ($1.element ? 1 << UInt8($1.offset) : 0) })
      }
    }
    var page: [UInt8] = []
    if largestRepetition > 0 { Self.runs(repetitions, to: &page) }
    if largestDefinition > 0 { Self.runs(definitions, to: &page) }
    page += values
    let stored = Self.compress(page)
    let entries = repetitions.count
    pages += ThriftWriter.header { header in
      header.int32(1, 0)
      header.int32(2, page.count)
      header.int32(3, stored.count)
      header.structure(5) { data in
        data.int32(1, entries)
        data.int32(2, 0)
        data.int32(3, 3)
        data.int32(4, 3)
      }
    }
    pages += stored
    plainSize += page.count
    count += entries
    repetitions.removeAll(keepingCapacity: true)
    definitions.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    booleans.removeAll(keepingCapacity: true)
  }

  /// Levels as runs, with their length in front.
  private static func runs(_ levels: [UInt8], to page: inout [UInt8]) {
    var writer = ThriftWriter()
    var runs: [UInt8] = []
    var at = 0
    while at < levels.count {
      let end = levels[at...].firstIndex { $0 != levels[at] } ?? levels.count
      writer = ThriftWriter()
      writer.varint(UInt64(end - at) << 1)
      runs += writer.bytes
      runs.append(levels[at])
      at = end
    }
    withUnsafeBytes(of: UInt32(runs.count).littleEndian) { page.append(contentsOf: $0) }
    page += runs
  }

  private static func compress(_ page: [UInt8]) -> [UInt8] {
    let bound = ZSTD_compressBound(page.count)
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      let size = page.withUnsafeBytes {
        ZSTD_compress(buffer.baseAddress, bound, $0.baseAddress, $0.count, 3)
      }
      // The bound is zstd's own, so only a lack of memory can make this fail.
      precondition(ZSTD_isError(size) == 0, "zstd could not compress \(page.count) bytes")
      count = size
    }
  }
}

/// Takes rows apart into leaf columns.
///
/// Every field may be null; lists have the three levels that the format recommends.
struct ColumnShredder {
  let types: [ColumnType.Member]
  private(set) var columns: [LeafColumn] = []

  init(_ types: [ColumnType.Member]) {
    self.types = types
    for member in types { open(member.type, [member.name], definition: 1, repetition: 0) }
  }

  private mutating func open(
    _ type: ColumnType, _ path: [String], definition: Int, repetition: Int
  ) {
    switch type {
    case .list(let inner):
      open(
        inner, path + ["list", "element"], definition: definition + 2, repetition: repetition + 1)
    case .structure(let members):
      for member in members {
        open(
          member.type, path + [member.name], definition: definition + 1, repetition: repetition)
      }
    default:
      columns.append(
        LeafColumn(path: path, type: type, definition: definition, repetition: repetition))
    }
  }

  mutating func add(_ row: DataRow) {
    var leaf = 0
    for member in types {
      let value = row.columns.last { $0.key == member.name }?.value ?? .null
      shred(value, member.type, &leaf, place: Place(repetition: 0, definition: 0, depth: 0))
    }
    for index in columns.indices { columns[index].endRow() }
  }

  private struct Place {
    /// What the next entry gets: of its list, or of an outer one where it is the first.
    var repetition: Int
    /// How far the ancestors are defined.
    var definition: Int
    /// Lists above.
    var depth: Int
  }

  private mutating func shred(
    _ node: JSONNode, _ type: ColumnType, _ leaf: inout Int, place: Place
  ) {
    var inner = place
    inner.definition += 1
    switch (type, node) {
    case (.list(let element), .array(let elements)) where !elements.isEmpty:
      inner.definition += 1
      inner.depth += 1
      let first = leaf
      for (index, value) in elements.enumerated() {
        leaf = first
        if index > 0 { inner.repetition = inner.depth }
        shred(value, element, &leaf, place: inner)
      }
    case (.structure(let members), .object(let values)):
      for member in members {
        let value = values.last { $0.key == member.name }?.value ?? .null
        shred(value, member.type, &leaf, place: inner)
      }
    case (.list, .array): skip(type, &leaf, inner)
    case (.text, .object), (_, .null): skip(type, &leaf, place)
    default:
      columns[leaf].add(node, repetition: place.repetition)
      leaf += 1
    }
  }

  /// Nothing there, for every leaf below.
  private mutating func skip(_ type: ColumnType, _ leaf: inout Int, _ place: Place) {
    switch type {
    case .list(let inner): skip(inner, &leaf, place)
    case .structure(let members): for member in members { skip(member.type, &leaf, place) }
    default:
      columns[leaf].addNull(repetition: place.repetition, definition: place.definition)
      leaf += 1
    }
  }

  mutating func endPages() { for index in columns.indices { columns[index].endPage() } }

  var size: Int { columns.reduce(0) { $0 + $1.size } }
}
