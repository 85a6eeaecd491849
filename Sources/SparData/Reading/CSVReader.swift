import Foundation
import SparText

/// Comma- or tab-separated values by RFC 4180, with a header row.
///
/// Cells are text; those of columns that Spar knows to be numbers (`chosen_probs`, …) are numbers.
/// An empty cell is null, an empty cell in quotes is an empty text.
final class CSVReader: RowReader {
  private let path: String
  private let separator: UInt8
  private var window: ByteWindow
  private var header: [String] = []
  private var row = 0
  private var isFinished = false

  init(_ path: String, separator: UInt8 = UInt8(ascii: ",")) throws(DataError) {
    self.path = path
    self.separator = separator
    window = ByteWindow(try FileBytes(path))
  }

  deinit { window.free() }

  func next() throws(DataError) -> DataRow? {
    if header.isEmpty {
      guard let cells = try record() else {
        throw DataError(path: path, what: "no header row", cure: "the first row names the columns")
      }
      header = cells.map { $0.text ?? "" }
      var names: Set<String> = []
      if let twice = header.first(where: { !names.insert($0).inserted }) {
        throw DataError(
          path: path, place: "header", what: "two columns are called \"\(twice)\"",
          cure: "give each column a name of its own")
      }
    }
    guard let cells = try record() else { return nil }
    row += 1
    let place = RowPlace(path: path, number: row, unit: .row)
    guard cells.count == header.count else {
      throw DataError(
        place, what: "\(cells.count) cells, the header has \(header.count)",
        cure: "put a cell that holds the separator, a quote or a line feed in quotes")
    }
    let columns = zip(header, cells).map { JSONMember(key: $0, value: Self.value($1.text, $0)) }
    return DataRow(
      columns: columns, place: place, hasBrokenText: cells.contains { $0.isBroken })
  }

  private static func value(_ text: String?, _ column: String) -> JSONNode {
    guard let text else { return .null }
    guard KnownColumns.isNumber(column) else { return .string(text) }
    switch text.lowercased() {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    default: break
    }
    return Int(text).map { .integer($0) } ?? Double(text).map { .number($0) } ?? .string(text)
  }

  private struct Cell {
    /// nil for an empty cell without quotes.
    var text: String?
    var isBroken = false
  }

  /// The cells of the next record; nil at the end.
  private func record() throws(DataError) -> [Cell]? {
    if row == 0, header.isEmpty {
      _ = try more()
      if window.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { window.drop(3) }
    }
    guard !isFinished else { return nil }
    var cells: [Cell] = []
    var cell: [UInt8] = []
    var wasQuoted = false
    var isQuoted = false
    var at = 0
    func end() {
      let isBroken = !cell.withUnsafeBufferPointer(UTF8Check.isValid)
      let text = cell.isEmpty && !wasQuoted ? nil : String(decoding: cell, as: UTF8.self)
      cells.append(Cell(text: text, isBroken: isBroken))
      cell.removeAll(keepingCapacity: true)
      wasQuoted = false
    }
    while true {
      guard let byte = try byte(at) else {
        isFinished = true
        guard !isQuoted else { throw unterminated() }
        if cells.isEmpty, cell.isEmpty, !wasQuoted { return nil }
        end()
        window.drop(at)
        return cells
      }
      at += 1
      if isQuoted {
        guard byte == UInt8(ascii: "\"") else {
          cell.append(byte)
          continue
        }
        // A quote in a quoted cell is doubled.
        if try self.byte(at) == UInt8(ascii: "\"") {
          cell.append(byte)
          at += 1
        } else {
          isQuoted = false
        }
        continue
      }
      switch byte {
      case separator: end()
      case UInt8(ascii: "\"") where cell.isEmpty && !wasQuoted:
        isQuoted = true
        wasQuoted = true
      case 0x0A, 0x0D:
        if byte == 0x0D, try self.byte(at) == 0x0A { at += 1 }
        window.drop(at)
        at = 0
        // A blank line is no record of one empty cell.
        if cells.isEmpty, cell.isEmpty, !wasQuoted { continue }
        end()
        return cells
      default:
        guard !wasQuoted else {
          throw DataError(
            path: path, place: "row \(row + 1)", what: "text after a closing quote",
            cure: "a quote inside a quoted cell is written twice")
        }
        cell.append(byte)
      }
    }
  }

  private func unterminated() -> DataError {
    DataError(
      path: path, place: "row \(row + 1)", what: "a quote is not closed before the file ends",
      cure: "a quote inside a quoted cell is written twice")
  }

  private func byte(_ at: Int) throws(DataError) -> UInt8? {
    while at >= window.bytes.count {
      if !(try more()) { return nil }
    }
    return window.bytes[at]
  }

  private func more() throws(DataError) -> Bool {
    let number = row + 1
    return try window.more(limit: DataLimits.rowBytes) {
      "row \(number) (is a quote not closed?)"
    }
  }
}
