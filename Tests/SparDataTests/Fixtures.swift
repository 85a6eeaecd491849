import Foundation
import SparText
import Testing

@testable import SparData

/// A folder that is gone when the test is.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "spar-data-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      print("left behind: \(path)")
    }
  }

  subscript(name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: self[name]))
    return self[name]
  }
}

/// The Parquet files that make_fixtures.py wrote.
enum ParquetFixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  static let names = [
    "snappy-dictionary-v1", "zstd-dictionary-v2", "gzip-plain-groups", "none-checksums-v2",
    "none-old-names", "lz4-delta-v1", "snappy-delta-v2", "types", "types-plain-v2",
    "types-split", "int96", "empty",
  ].map { $0 + ".parquet" }

  static func expected(_ name: String) throws -> [JSONNode] {
    let all = try JSONParser.parse(Data(contentsOf: folder.appendingPathComponent("rows.json")))
    let content = try #require(all["files"]?[name]?.string)
    return try #require(all["contents"]?[content]?.array)
  }
}

func rows(_ reader: any RowReader) throws -> [DataRow] {
  var rows: [DataRow] = []
  while let row = try reader.next() { rows.append(row) }
  return rows
}

func rows(_ path: String) throws -> [DataRow] { try rows(FilesReader(path: path)) }

func object(_ text: String) throws -> [JSONMember] {
  try #require(try JSONParser.parse(Data(text.utf8)).members)
}

extension JSONNode {
  /// With integers as numbers, so that 1 and 1.0 are equal.
  var loose: JSONNode {
    switch self {
    case .integer(let value): .number(Double(value))
    case .array(let elements): .array(elements.map(\.loose))
    case .object(let members):
      .object(members.map { JSONMember(key: $0.key, value: $0.value.loose) })
    default: self
    }
  }
}

/// Runs a program; its output and errors together.
func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}
