import Foundation
import SparText

/// Takes rows one after the other; the file appears under its name when it is complete.
public protocol RowWriter: AnyObject {
  func add(_ row: DataRow) throws(DataError)
  func finish() throws(DataError)
}

extension DataFormat {
  /// A writer for the format that the file's name tells.
  public static func create(_ path: String) throws(DataError) -> any RowWriter {
    switch try of(path) {
    case .jsonl: return try JSONLinesWriter(path)
    case .parquet: return try ParquetWriter(path)
    case .json, .csv, .tsv:
      throw DataError(
        path: path, what: "rows are written as .jsonl or .parquet",
        cure: "choose one of them; both hold conversations as they are")
    }
  }
}

/// A file that is written beside its place and moved there at the end.  Each writer has a file of
/// its own: of two that write the same path at a time, the one that ends last is there, whole.
final class FileSink {
  let path: String
  private let temporary: String
  private var descriptor: Int32
  private(set) var count = 0

  init(_ path: String) throws(DataError) {
    self.path = path
    temporary = "\(path).\(UUID().uuidString).part"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw DataError(path: path, what: String(cString: strerror(errno)), cure: "")
    }
  }

  deinit {
    // Not finished: what is there is of no use.
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  func write(_ bytes: [UInt8]) throws(DataError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { raw in
        Foundation.write(descriptor, raw.baseAddress?.advanced(by: done), raw.count - done)
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw failure()
      }
      done += written
    }
    count += bytes.count
  }

  func finish() throws(DataError) {
    guard fsync(descriptor) == 0, close(descriptor) == 0 else { throw failure() }
    descriptor = -1
    guard rename(temporary, path) == 0 else { throw failure() }
  }

  private func failure() -> DataError {
    DataError(
      path: path, place: "byte \(count)",
      what: "cannot be written: \(String(cString: strerror(errno)))",
      cure: "")
  }
}

/// A JSON object a line.
public final class JSONLinesWriter: RowWriter {
  private let sink: FileSink
  private var buffer: [UInt8] = []

  public init(_ path: String) throws(DataError) { sink = try FileSink(path) }

  public func add(_ row: DataRow) throws(DataError) {
    if let name = row.columns.first(where: { !$0.value.isFinite })?.key {
      throw row.error(
        "column \(name) holds a number that is not finite, which JSON cannot say",
        cure: "write Parquet, which can, or drop the row")
    }
    JSONWriter.append(.object(row.columns), indent: 0, level: 0, to: &buffer)
    buffer.append(0x0A)
    if buffer.count > 1 << 20 { try flush() }
  }

  public func finish() throws(DataError) {
    try flush()
    try sink.finish()
  }

  private func flush() throws(DataError) {
    try sink.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}

extension JSONNode {
  /// With null for NaN, which tables hold where a number is missing and JSON cannot say.
  public var withoutNaN: JSONNode {
    switch self {
    case .number(let value) where value.isNaN: .null
    case .array(let elements): .array(elements.map(\.withoutNaN))
    case .object(let members):
      .object(members.map { JSONMember(key: $0.key, value: $0.value.withoutNaN) })
    default: self
    }
  }

  /// Whether all its numbers are.
  public var isFinite: Bool {
    switch self {
    case .number(let value): value.isFinite
    case .array(let elements): elements.allSatisfy(\.isFinite)
    case .object(let members): members.allSatisfy(\.value.isFinite)
    default: true
    }
  }
}
