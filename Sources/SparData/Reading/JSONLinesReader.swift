import Foundation
import SparText

/// JSON lines: an object a line; blank lines are passed over.
final class JSONLinesReader: RowReader {
  private let path: String
  private var window: ByteWindow
  private var line = 0
  private var scanned = 0
  private var isFinished = false

  init(_ path: String) throws(DataError) {
    self.path = path
    window = ByteWindow(try FileBytes(path))
  }

  deinit { window.free() }

  func next() throws(DataError) -> DataRow? {
    while let length = try nextLine() {
      let bytes = UnsafeBufferPointer(rebasing: window.bytes[..<length])
      defer { window.drop(min(length + 1, window.bytes.count)) }
      if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      return try JSONRow.row(bytes, place: RowPlace(path: path, number: line, unit: .line))
    }
    return nil
  }

  /// Length of the line that begins the window.
  private func nextLine() throws(DataError) -> Int? {
    guard !isFinished else { return nil }
    scanned = 0
    line += 1
    while true {
      let bytes = window.bytes
      if scanned < bytes.count, let base = bytes.baseAddress,
        let found = memchr(base + scanned, 0x0A, bytes.count - scanned)
      {
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
      }
      scanned = bytes.count
      if !(try window.more(limit: DataLimits.rowBytes, { "line \(line)" })) {
        isFinished = true
        return window.bytes.isEmpty ? nil : window.bytes.count
      }
    }
  }
}

/// A row from the text of a JSON object.
enum JSONRow {
  static func row(
    _ bytes: UnsafeBufferPointer<UInt8>, place: RowPlace
  ) throws(DataError) -> DataRow {
    let value: JSONNode
    do throws(JSONSyntaxError) {
      value = try JSONParser.parse(bytes, takesNotFinite: true)
    } catch {
      let whole = place.unit == .line ? "each line must be one whole object" : ""
      throw DataError(
        place, what: "not JSON (\(error.what), byte \(error.offset) of the \(place.unit.rawValue))",
        cure: whole)
    }
    guard case .object(let columns) = value else {
      throw DataError(
        place, what: "not a JSON object but \(value.kind)",
        cure: "a row is an object with a member for each column")
    }
    return DataRow(
      columns: columns, place: place, hasBrokenText: !UTF8Check.isValid(bytes))
  }
}
