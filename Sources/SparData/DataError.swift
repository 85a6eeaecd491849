/// What is wrong with a data file: where, what, and what helps.
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
  public var path: String
  /// "line 3", "row group 2, column chosen"; empty where the file as a whole is meant.
  public var place: String
  public var what: String
  public var cure: String
  /// The row that it is about, where it is about one.
  public var row: RowPlace?

  public init(path: String, place: String = "", what: String, cure: String) {
    self.path = path
    self.place = place
    self.what = what
    self.cure = cure
  }

  public init(_ row: RowPlace, what: String, cure: String) {
    self.init(path: row.path, place: "\(row)", what: what, cure: cure)
    self.row = row
  }

  /// What and cure, for messages that tell the place themselves.
  public var problem: String { cure.isEmpty ? what : "\(what); \(cure)" }

  public var description: String {
    let head = place.isEmpty ? path : "\(path), \(place)"
    return "\(head): \(problem)"
  }
}

/// Bounds that no honest file reaches; behind them lies damage or an attack.
public enum DataLimits {
  /// Of a row's text as it stands in the file, and of a row's values from Parquet.
  public static let rowBytes = 64 << 20
  /// Elements of all lists of a row together.
  public static let rowElements = 1 << 22
  /// Values of a row from Parquet, nulls included: nested, they take memory without bytes.
  public static let rowValues = 1 << 24
  /// Of a decompressed Parquet page.
  public static let pageBytes = 256 << 20
  /// Of a Parquet footer.
  public static let footerBytes = 256 << 20
  /// Fields of a Parquet schema, groups included.
  public static let schemaFields = 1 << 18
  /// Column chunks of all row groups of a Parquet file, and row groups.
  public static let columnChunks = 1 << 21
}
