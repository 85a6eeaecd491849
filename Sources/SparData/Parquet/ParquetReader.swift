import SparText

/// A Parquet file, row by row; in memory are the footer, and a page of each column.
public final class ParquetReader: RowReader {
  private let file: FileBytes
  private let footer: ParquetFooter
  private let schema: ParquetSchema
  private var group = -1
  private var columns: [ColumnReader] = []
  private var rowsLeft = 0
  private var row = 0
  private var budget = RowBudget()

  public init(_ path: String) throws(DataError) {
    file = try FileBytes(path)
    do throws(DataOrFault) {
      footer = try Self.readFooter(file)
      do throws(ParquetFault) {
        guard footer.rows >= 0 else {
          throw ParquetFault(what: "the file claims \(footer.rows) rows")
        }
        schema = try ParquetSchema(footer.elements)
      } catch {
        throw .fault(error)
      }
    } catch {
      throw Self.error(path, "footer", error)
    }
  }

  /// As the footer says.
  public var rows: Int { footer.rows }
  /// Top-level columns in their order.
  public var columnNames: [String] { schema.fields.map(\.name) }

  public func next() throws(DataError) -> DataRow? {
    do throws(DataOrFault) {
      while rowsLeft == 0 {
        guard group + 1 < footer.groups.count else { return nil }
        try openGroup()
      }
      budget = RowBudget()
      var members: [JSONMember] = []
      members.reserveCapacity(schema.fields.count)
      for field in schema.fields {
        members.append(JSONMember(key: field.name, value: try read(field)))
      }
      var isBroken = false
      for column in columns {
        guard column.repetition <= 0 else {
          throw .fault(ParquetFault(what: "column \(column.path) goes on behind its row"))
        }
        if column.takeBrokenText() { isBroken = true }
      }
      row += 1
      rowsLeft -= 1
      return DataRow(
        columns: members, place: RowPlace(path: file.path, number: row, unit: .row),
        hasBrokenText: isBroken)
    } catch {
      rowsLeft = 0
      group = footer.groups.count
      throw Self.error(file.path, "row \(row + 1)", error)
    }
  }

  private static func error(_ path: String, _ place: String, _ error: DataOrFault) -> DataError {
    switch error {
    case .data(let error): error
    case .fault(let fault):
      DataError(path: path, place: place, what: "not Parquet: \(fault.what)", cure: fault.cure)
    }
  }

  private static func readFooter(_ file: FileBytes) throws(DataOrFault) -> ParquetFooter {
    func bytes(at: Int, count: Int) throws(DataOrFault) -> PageBytes {
      let bytes = PageBytes(count: count)
      do throws(DataError) {
        guard try file.read(at: at, into: bytes.raw) == count else {
          throw DataError(path: file.path, what: "the file ends too early", cure: "")
        }
      } catch {
        throw .data(error)
      }
      return bytes
    }
    let short = ParquetFault(
      what: "the mark at its end is missing", cure: "the file is cut off: fetch it again")
    guard file.size >= 12 else { throw .fault(short) }
    let tail = try bytes(at: file.size - 8, count: 8)
    do throws(ParquetFault) {
      let mark = Array(try tail.slice(4..<8))
      if mark == Array("PARE".utf8) {
        throw ParquetFault(what: "the file is encrypted", cure: "write it without encryption")
      }
      guard mark == Array("PAR1".utf8) else { throw short }
    } catch {
      throw .fault(error)
    }
    let length: Int
    do throws(ParquetFault) {
      length = try tail.length(at: 0)
      guard length <= file.size - 12, length <= DataLimits.footerBytes else {
        throw ParquetFault(what: "a footer of \(length) bytes in a file of \(file.size)")
      }
    } catch {
      throw .fault(error)
    }
    let footer = try bytes(at: file.size - 8 - length, count: length)
    do throws(ParquetFault) {
      return try ParquetFooter(UnsafeRawBufferPointer(footer.raw))
    } catch {
      throw .fault(error)
    }
  }

  private func openGroup() throws(DataOrFault) {
    group += 1
    let described = footer.groups[group]
    // A group without rows need not have pages.
    guard described.rows != 0 else { return }
    do throws(ParquetFault) {
      guard described.chunks.count == schema.leaves.count, described.rows > 0 else {
        throw ParquetFault(
          what: "row group \(group + 1) has \(described.chunks.count) columns, the schema "
            + "\(schema.leaves.count)")
      }
      columns = []
      for (leaf, chunk) in zip(schema.leaves, described.chunks) {
        columns.append(try ColumnReader(file, leaf, chunk))
      }
    } catch {
      throw .fault(error)
    }
    rowsLeft = described.rows
    for column in columns { try column.start() }
  }

  // MARK: - Assembly

  private func read(_ field: ParquetSchema.Field) throws(DataOrFault) -> JSONNode {
    try budget.addValue()
    if field.isOptional, try isBelow(field.definition, field.leaves) {
      for leaf in field.leaves { _ = try columns[leaf].take() }
      return .null
    }
    switch field.shape {
    case .leaf:
      let value = try columns[field.leaves.lowerBound].take()
      if case .string(let text) = value { try budget.spend(text.utf8.count) }
      return value
    case .structure(let fields):
      var members: [JSONMember] = []
      members.reserveCapacity(fields.count)
      for inner in fields { members.append(JSONMember(key: inner.name, value: try read(inner))) }
      return .object(members)
    case .list(let element, let definition, let repetition):
      var elements: [JSONNode] = []
      try repeated(field.leaves, definition, repetition) { () throws(DataOrFault) in
        elements.append(try read(element))
      }
      return .array(elements)
    case .map(let key, let value, let definition, let repetition):
      var members: [JSONMember] = []
      try repeated(field.leaves, definition, repetition) { () throws(DataOrFault) in
        let name = try read(key)
        let text = name.string ?? JSONWriter.text(name)
        var content = JSONNode.null
        if let value { content = try read(value) }
        members.append(JSONMember(key: text, value: content))
      }
      return .object(members)
    }
  }

  /// Calls `element` for each element of a list that spans `leaves`.
  private func repeated(
    _ leaves: Range<Int>, _ definition: Int, _ repetition: Int,
    _ element: () throws(DataOrFault) -> Void
  ) throws(DataOrFault) {
    if try isBelow(definition, leaves) {
      for leaf in leaves { _ = try columns[leaf].take() }
      return
    }
    var goesOn = true
    while goesOn {
      try budget.addElement()
      try element()
      goesOn = columns[leaves.lowerBound].repetition == repetition
      for leaf in leaves where (columns[leaf].repetition == repetition) != goesOn {
        throw .fault(ParquetFault(what: "column \(columns[leaf].path) has lists of another length"))
      }
    }
  }

  /// Whether the entry at hand is not defined up to a level: all leaves must agree.
  private func isBelow(_ definition: Int, _ leaves: Range<Int>) throws(DataOrFault) -> Bool {
    let isBelow = columns[leaves.lowerBound].definition < definition
    for leaf in leaves where (columns[leaf].definition < definition) != isBelow {
      throw .fault(
        ParquetFault(what: "column \(columns[leaf].path) has nulls where its neighbours have none"))
    }
    return isBelow
  }
}

/// What a row may still hold.
private struct RowBudget {
  private var bytes = DataLimits.rowBytes
  private var elements = DataLimits.rowElements
  private var values = DataLimits.rowValues

  mutating func spend(_ count: Int) throws(DataOrFault) {
    bytes -= count
    guard bytes >= 0 else {
      throw .fault(
        ParquetFault(
          what: "a row of more than \(DataLimits.rowBytes >> 20) MiB", cure: "split the row"))
    }
  }

  mutating func addValue() throws(DataOrFault) {
    values -= 1
    guard values >= 0 else {
      throw .fault(
        ParquetFault(
          what: "a row with more than \(DataLimits.rowValues) values", cure: "split the row"))
    }
  }

  mutating func addElement() throws(DataOrFault) {
    elements -= 1
    guard elements >= 0 else {
      throw .fault(
        ParquetFault(
          what: "a row with more than \(DataLimits.rowElements) list elements",
          cure: "split the row"))
    }
  }
}
