import Foundation

/// JSON lines from a file or stdin, one at a time and in order.
struct JSONLines {
  struct Failure: Error, CustomStringConvertible {
    var place: String
    var problem: String
    var description: String { "\(place): \(problem)" }
  }

  /// A failure that is not the line's: it keeps its own words.
  struct Through: Error {
    var cause: any Error
  }

  static let notUTF8 =
    "bytes that are not UTF-8; write them as UTF-8 (iconv -f latin1 -t utf8, say)"

  /// A file, or `-` for stdin.
  var path: String

  private var name: String { path == "-" ? "stdin" : path }

  /// Calls `body` with each line that is not blank, decoded.
  func forEach<Row: Decodable>(_: Row.Type, _ body: (Row) throws -> Void) throws {
    try forEachLine { try body(JSONDecoder().decode(Row.self, from: $0)) }
  }

  /// Calls `body` with each line that is not blank; its errors get the file and the line number.
  func forEachLine(_ body: (Data) throws -> Void) throws {
    guard let file = path == "-" ? fdopen(STDIN_FILENO, "r") : fopen(path, "r") else {
      throw Failure(place: path, problem: String(cString: strerror(errno)))
    }
    defer { if path != "-" { fclose(file) } }
    var buffer: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(buffer) }
    var number = 0
    while true {
      let length = getline(&buffer, &capacity, file)
      guard length >= 0, let buffer else { break }
      number += 1
      let line = Data(bytes: buffer, count: length)
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }) { continue }
      do {
        try body(line)
      } catch let error as Terminal.WriteError {
        throw error
      } catch let error as Through {
        throw error.cause
      } catch {
        let isText = String(validating: line, as: UTF8.self) != nil
        throw Failure(
          place: "\(name):\(number)", problem: isText ? Self.reason(error) : Self.notUTF8)
      }
    }
    if ferror(file) != 0 {
      throw Failure(place: name, problem: "cannot be read: \(String(cString: strerror(errno)))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty:
      return "not a line of JSON"
    case DecodingError.dataCorrupted(let context):
      return "\(path(context)): \(context.debugDescription)"
    case DecodingError.keyNotFound(let key, _): return "\"\(key.stringValue)\" is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      return "\(path(context)): \(context.debugDescription)"
    default: return SparFailure.message(error)
    }
  }

  private static func path(_ context: DecodingError.Context) -> String {
    let names = context.codingPath.map(\.stringValue)
    return names.isEmpty ? "the line" : names.joined(separator: ".")
  }
}
