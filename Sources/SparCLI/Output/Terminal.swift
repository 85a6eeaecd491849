import Foundation

/// Results go to stdout, everything else to stderr.
enum Terminal {
  /// The file could not be written: its reader is gone, or the disk is full.
  struct WriteError: Error, CustomStringConvertible {
    var code: Int32
    var description: String { "cannot write to stdout: \(String(cString: strerror(code)))" }
  }

  /// One line of a result, written at once; throws when nobody takes it.
  static func line(_ text: String) throws {
    var rest = Array((text + "\n").utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        throw WriteError(code: errno)
      }
    }
  }

  /// One line, keys in alphabetical order and in snake_case as in the files of a run.
  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try line(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  static func error(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Columns side by side, the last as it is.
  static func columns(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column + 1 < row.count {
          line += String(repeating: " ", count: widths[column] - cell.count + 2)
        }
      }
      return line
    }
  }
}
