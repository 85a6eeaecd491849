import SparText

/// Parquet that pandas, pyarrow and `datasets` load: zstd pages of plain values, all fields
/// nullable, lists of three levels.
///
/// Types are those of the rows before the first row group is written (some 32 MiB); a later row that
/// needs another type is an error.
public final class ParquetWriter: RowWriter {
  private let sink: FileSink
  private var waiting: [DataRow] = []
  private var waitingBytes = 0
  private var types = ColumnType.structure([])
  private var shredder: ColumnShredder?
  private var rowsInGroup = 0
  private var rows = 0
  private var groups: [Group] = []

  private static let groupBytes = 32 << 20

  private struct Group {
    var rows: Int
    var chunks: [(path: [String], type: ColumnType, count: Int, plain: Int, stored: Int, at: Int)]
  }

  public init(_ path: String) throws(DataError) {
    sink = try FileSink(path)
    try sink.write(Array("PAR1".utf8))
  }

  public func add(_ row: DataRow) throws(DataError) {
    if shredder == nil {
      do throws(ColumnType.Mismatch) {
        try types.widen(by: .object(row.columns), path: "")
      } catch {
        throw Self.mismatch(error, row)
      }
      waiting.append(row)
      waitingBytes += row.columns.reduce(0) { $0 + $1.value.approximateSize }
      if waitingBytes >= Self.groupBytes { try start() }
      return
    }
    try addTyped(row)
  }

  private static func mismatch(_ error: ColumnType.Mismatch, _ row: DataRow) -> DataError {
    row.error(
      "column \(error.path.drop { $0 == "." }) holds \(error.found), rows before it \(error.have)",
      cure: "a Parquet column has one type; write .jsonl, or make the column alike")
  }

  private func start() throws(DataError) {
    guard case .structure(let members) = types, !members.isEmpty else {
      throw DataError(
        path: sink.path, what: "there is no row to write", cure: "Parquet needs columns")
    }
    let settled = members.map { ColumnType.Member(name: $0.name, type: $0.type.settled) }
    shredder = ColumnShredder(settled)
    let rows = waiting
    waiting = []
    // Their types are in `types`: an object without members is a null by now.
    for row in rows { try place(row) }
  }

  private func addTyped(_ row: DataRow) throws(DataError) {
    guard let types = shredder?.types else { return }
    var wide = ColumnType.structure(types)
    do throws(ColumnType.Mismatch) {
      try wide.widen(by: .object(row.columns), path: "")
    } catch {
      throw Self.mismatch(error, row)
    }
    guard case .structure(let now) = wide, now.count == types.count,
      zip(now, types).allSatisfy({ $0.type.settled == $1.type })
    else {
      throw row.error(
        "a column or member that no row before it has, or a fraction among integers",
        cure: "Parquet fixes the columns early; write .jsonl, or put such a row first")
    }
    try place(row)
  }

  /// A row that fits the types.
  private func place(_ row: DataRow) throws(DataError) {
    shredder?.add(row)
    rowsInGroup += 1
    // A look at all columns for each row would cost more than the row.
    if rowsInGroup % 256 == 0, (shredder?.size ?? 0) >= Self.groupBytes { try endGroup() }
  }

  private func endGroup() throws(DataError) {
    guard var shredder, rowsInGroup > 0 else { return }
    shredder.endPages()
    var group = Group(rows: rowsInGroup, chunks: [])
    for column in shredder.columns {
      group.chunks.append(
        (column.path, column.type, column.count, column.plainSize, column.pages.count, sink.count))
      try sink.write(column.pages)
    }
    groups.append(group)
    rows += rowsInGroup
    rowsInGroup = 0
    self.shredder = ColumnShredder(shredder.types)
  }

  public func finish() throws(DataError) {
    if shredder == nil { try start() }
    try endGroup()
    let footer = footer()
    try sink.write(footer)
    try sink.write(withUnsafeBytes(of: UInt32(footer.count).littleEndian) { Array($0) })
    try sink.write(Array("PAR1".utf8))
    try sink.finish()
  }

  private func footer() -> [UInt8] {
    let members = shredder?.types ?? []
    var elements: [(inout ThriftWriter) -> Void] = [
      { element in
        element.text(4, "schema")
        element.int32(5, members.count)
      }
    ]
    for member in members { Self.describe(member.name, member.type, to: &elements) }
    return ThriftWriter.header { file in
      file.int32(1, 2)
      file.list(2, of: .structure, count: elements.count)
      for element in elements { file.element(element) }
      file.int64(3, rows)
      file.list(4, of: .structure, count: groups.count)
      for group in groups { file.element { Self.describe(group, to: &$0) } }
      file.text(6, "spar")
    }
  }

  private static func describe(
    _ name: String, _ type: ColumnType, to elements: inout [(inout ThriftWriter) -> Void]
  ) {
    switch type {
    case .list(let inner):
      elements.append { element in
        element.int32(3, 1)
        element.text(4, name)
        element.int32(5, 1)
        element.int32(6, 3)
        element.structure(10) { $0.structure(3) { _ in } }
      }
      elements.append { element in
        element.int32(3, 2)
        element.text(4, "list")
        element.int32(5, 1)
      }
      describe("element", inner, to: &elements)
    case .structure(let members):
      elements.append { element in
        element.int32(3, 1)
        element.text(4, name)
        element.int32(5, members.count)
      }
      for member in members { describe(member.name, member.type, to: &elements) }
    default:
      elements.append { element in
        element.int32(1, physical(type))
        element.int32(3, 1)
        element.text(4, name)
        if type == .text {
          element.int32(6, 0)
          element.structure(10) { $0.structure(1) { _ in } }
        }
      }
    }
  }

  private static func physical(_ type: ColumnType) -> Int {
    switch type {
    case .boolean: 0
    case .integer: 2
    case .number: 5
    default: 6
    }
  }

  private static func describe(_ group: Group, to writer: inout ThriftWriter) {
    writer.list(1, of: .structure, count: group.chunks.count)
    for chunk in group.chunks {
      writer.element { column in
        column.int64(2, chunk.at)
        column.structure(3) { data in
          data.int32(1, physical(chunk.type))
          data.list(2, of: .int32, count: 2)
          data.element(0)
          data.element(3)
          data.list(3, of: .binary, count: chunk.path.count)
          for name in chunk.path { data.element(name) }
          data.int32(4, PageCodec.zstd.rawValue)
          data.int64(5, chunk.count)
          data.int64(6, chunk.plain)
          data.int64(7, chunk.stored)
          data.int64(9, chunk.at)
        }
      }
    }
    writer.int64(2, group.chunks.reduce(0) { $0 + $1.plain })
    writer.int64(3, group.rows)
  }
}

extension JSONNode {
  /// Bytes in memory, about.
  fileprivate var approximateSize: Int {
    switch self {
    case .string(let text): 32 + text.utf8.count
    case .array(let elements): elements.reduce(32) { $0 + $1.approximateSize }
    case .object(let members):
      members.reduce(32) { $0 + 32 + $1.key.utf8.count + $1.value.approximateSize }
    default: 32
    }
  }
}
