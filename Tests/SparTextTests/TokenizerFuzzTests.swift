import Foundation
import Testing

@testable import SparText

/// 10,000 random texts (all planes, marks, controls, emoji sequences, added tokens) through
/// tokenizers of every kind, against Hugging Face `tokenizers` and `sentencepiece`.
///
/// Every tokenizer gets one text of SPAR_FUZZ_SHARE (unset: five, for the sake of time; 1: all of
/// them). SPAR_FUZZ_TEXTS and SPAR_FUZZ_SEED choose other texts.
@Suite("Tokenizers against their Python peers", .serialized) struct TokenizerFuzzTests {
  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["SPAR_PYTHON"] ?? "python3"
    do {
      return try run([named, "-c", "import tokenizers, sentencepiece"]) == 0 ? named : nil
    } catch {
      return nil
    }
  }()

  static let absence: Comment =
    "tokenizers and sentencepiece are not importable: set SPAR_PYTHON to a Python that has them"

  static func run(_ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    var environment = ProcessInfo.processInfo.environment
    environment["TOKENIZERS_PARALLELISM"] = "false"
    process.environment = environment
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private static func lines(_ url: URL) throws -> [JSONNode] {
    try Data(contentsOf: url).split(separator: 0x0A).map { try JSONParser.parse(Data($0)) }
  }

  private static func ids(_ node: JSONNode?) -> [Int32]? {
    node?.array?.compactMap { $0.integer.map { Int32($0) } }
  }

  private static func open(_ name: String, in folder: URL) throws -> Tokenizer {
    let json = folder.appendingPathComponent(name + ".json")
    if FileManager.default.fileExists(atPath: json.path) {
      return try Tokenizer(tokenizerJSON: try Data(contentsOf: json), path: name)
    }
    let model = folder.appendingPathComponent(name + ".model")
    return try Tokenizer(sentencePiece: try Data(contentsOf: model), path: name)
  }

  @Test("no difference", .enabled(if: python != nil, absence))
  func noDifference() throws {
    let environment = ProcessInfo.processInfo.environment
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("spar-fuzz-\(UUID().uuidString)")
    defer { _ = Result { try FileManager.default.removeItem(at: folder) } }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Tools/tokenizer_fuzz.py").path
    var arguments = [
      try #require(Self.python), script, folder.path, environment["SPAR_FUZZ_TEXTS"] ?? "10000",
      environment["SPAR_FUZZ_SEED"] ?? "1", environment["SPAR_FUZZ_SHARE"] ?? "5",
    ]
    if let root = SharedFiles.root {
      arguments += ["smollm2", "mistral_like", "deberta_like"].map {
        root.appendingPathComponent("golden/text/tokenizers/\($0).tokenizer.json").path
      }
    }
    #expect(try Self.run(arguments) == 0)
    let texts = try Self.lines(folder.appendingPathComponent("texts.jsonl")).map {
      try #require($0["text"]?.string)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".expected.jsonl") }.map { String($0.dropLast(15)) }.sorted()
    #expect(names.count >= 24)
    for name in names {
      let tokenizer = try Self.open(name, in: folder)
      let rows = try Self.lines(folder.appendingPathComponent(name + ".expected.jsonl"))
      try #require(rows.count == texts.count)
      var differences: [String] = []
      for (text, row) in zip(texts, rows) where !row.isNull {
        let ids = tokenizer.encode(text)
        let special = Self.ids(row["special"])
        if ids != Self.ids(row["ids"]) {
          differences.append("ids of \(text.debugDescription)")
        } else if let special, tokenizer.encode(text, special: true) != special {
          differences.append("special ids of \(text.debugDescription)")
        } else if let decoded = row["decoded"]?.string,
          Array(tokenizer.decode(ids).utf8) != Array(decoded.utf8)
        {
          differences.append("text of \(ids)")
        }
      }
      #expect(
        differences.isEmpty,
        "\(name): \(differences.count) of \(texts.count): \(differences.prefix(3))")
    }
  }
}
