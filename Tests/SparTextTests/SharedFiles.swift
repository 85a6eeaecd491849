import Foundation
import Testing

@testable import SparText

/// The folder of golden values, found by SPAR_SHARED or by walking up from this file.
enum SharedFiles {
  static let root: URL? = {
    let files = FileManager.default
    if let path = ProcessInfo.processInfo.environment["SPAR_SHARED"] {
      return URL(fileURLWithPath: path)
    }
    var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    while folder.path != "/" {
      let shared = folder.appendingPathComponent("shared")
      if files.fileExists(atPath: shared.appendingPathComponent("golden").path) { return shared }
      folder.deleteLastPathComponent()
    }
    return nil
  }()

  static let isPresent = root != nil
  static let absence: Comment = "no folder with shared/golden above; set SPAR_SHARED to it"

  static func data(_ path: String) throws -> Data {
    let root = try #require(root, "shared/golden is absent")
    return try Data(contentsOf: root.appendingPathComponent(path))
  }

  static func json(_ path: String) throws -> JSONNode {
    try JSONParser.parse(try data(path))
  }

  /// SmolLM2's real GGUF, where this machine has it.
  static var smolLM2GGUF: URL? {
    let path =
      ProcessInfo.processInfo.environment["SPAR_SMOLLM2_GGUF"]
      ?? "/tmp/model/SmolLM2-135M-Instruct.Q4_1.gguf"
    return FileManager.default.fileExists(atPath: path) ? URL(fileURLWithPath: path) : nil
  }
}

/// A text with what Hugging Face tokenizers made of it.
struct TokenizerVector: CustomTestStringConvertible {
  var text: String
  var ids: [Int32]
  /// With the tokens of the post-processor; nil where the file has none.
  var special: [Int32]?
  var decoded: String

  var testDescription: String { text.debugDescription }

  private static func ids(_ node: JSONNode?) throws -> [Int32] {
    try #require(node?.array).map { Int32(try #require($0.integer)) }
  }

  static func read(_ path: String) throws -> [TokenizerVector] {
    try #require(try SharedFiles.json(path).array).map { row in
      TokenizerVector(
        text: try #require(row["text"]?.string),
        ids: try ids(row["ids"]), special: try row["ids_special"].map(ids),
        decoded: try #require(row["decoded"]?.string))
    }
  }
}
