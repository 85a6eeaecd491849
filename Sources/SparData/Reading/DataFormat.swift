import Foundation

/// How rows are written down; a file's name tells.
public enum DataFormat: String, CaseIterable, Sendable {
  case jsonl
  case json
  case csv
  case tsv
  case parquet

  /// Extensions, without the dot.
  static let extensions: [String: DataFormat] = [
    "jsonl": .jsonl, "ndjson": .jsonl, "json": .json, "csv": .csv, "tsv": .tsv, "tab": .tsv,
    "parquet": .parquet, "pq": .parquet,
  ]

  public static func named(_ path: String) -> DataFormat? {
    extensions[(path as NSString).pathExtension.lowercased()]
  }

  public static func of(_ path: String) throws(DataError) -> DataFormat {
    if let format = named(path) { return format }
    throw DataError(
      path: path, what: "the name does not tell a format",
      cure: "let it end with .jsonl, .json, .csv, .tsv or .parquet")
  }

  /// A reader from the first row.
  static func open(_ path: String) throws(DataError) -> any RowReader {
    switch try of(path) {
    case .jsonl: return try JSONLinesReader(path)
    case .json:
      if try isArray(path) { return try JSONArrayReader(path) }
      return try JSONLinesReader(path)
    case .csv: return try CSVReader(path)
    case .tsv: return try CSVReader(path, separator: 0x09)
    case .parquet: return try ParquetReader(path)
    }
  }

  /// Many call JSON lines `.json`: rows lie in an array where the text begins with '[', or with
  /// an object that goes on behind its first line and has a member "data".
  private static func isArray(_ path: String) throws(DataError) -> Bool {
    let file = try FileBytes(path)
    var head = [UInt8](repeating: 0, count: 64 << 10)
    let count: Int
    do {
      count = try head.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError(path: path, what: "\(error)", cure: "")
    }
    var text = head[..<count]
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
    text = text.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    guard text.first == UInt8(ascii: "{") else { return true }
    let line = text.prefix { $0 != 0x0A && $0 != 0x0D }
    let isWhole = line.reversed().first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "}")
    let isWrapped = String(decoding: text, as: UTF8.self).contains(
      /^\{\s*("[^"]*"\s*:\s*("[^"]*"|[-0-9.eE+]+|true|false|null)\s*,\s*)*"data"\s*:\s*\[/)
    let isFile = line.count == text.count && count < head.count
    // A line that is whole, with others behind it, is a row.
    return isWrapped && (isFile || !isWhole)
  }
}
