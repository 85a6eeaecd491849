import SparText

/// Where a row stands.
public struct RowPlace: Equatable, Sendable, CustomStringConvertible {
  public enum Unit: String, Sendable {
    case line
    case row
  }

  public var path: String
  /// Counts from 1: lines of a text with one row a line, else rows.
  public var number: Int
  public var unit: Unit

  public init(path: String, number: Int, unit: Unit) {
    self.path = path
    self.number = number
    self.unit = unit
  }

  public var description: String { "\(unit.rawValue) \(number)" }
}

/// One row: its columns in the order of the file.
public struct DataRow: Equatable, Sendable {
  public var columns: [JSONMember]
  public var place: RowPlace
  /// The row held bytes that are not UTF-8; U+FFFD stands for them.
  public var hasBrokenText: Bool

  public init(columns: [JSONMember], place: RowPlace, hasBrokenText: Bool = false) {
    self.columns = columns
    self.place = place
    self.hasBrokenText = hasBrokenText
  }

  /// The last column of that name; nil where there is none or it is null.
  public subscript(name: String) -> JSONNode? {
    guard let value = columns.last(where: { $0.key == name })?.value, value != .null else {
      return nil
    }
    return value
  }

  public func has(_ name: String) -> Bool { columns.contains { $0.key == name } }

  /// An error about this row.
  public func error(_ what: String, cure: String = "") -> DataError {
    DataError(place, what: what, cure: cure)
  }
}

/// Gives rows one after the other; what it holds at a time does not grow with the file.
public protocol RowReader: AnyObject {
  /// nil behind the last row.  After an error a reader is finished.
  func next() throws(DataError) -> DataRow?
}

extension JSONNode {
  /// A number, whole or not.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
