import Foundation
import Testing

/// The backend of docs/examples, built outside the package as a third party would.
@Suite("The oneDNN example", .enabled(if: OneDNNExample.isPossible, OneDNNExample.needs))
struct OneDNNExampleTests {
  @Test("it builds by its Makefile and scores tokens as the plain reference does")
  func scores() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let library = try OneDNNExample.build(in: folder)
    let model = try OneDNNExample.layModel(in: folder)
    // Long enough for attention by products, over several spans.
    let ids = (0..<60).map { $0 * 37 % 150 }
    let input = (0..<3).map {
      "{\"prompt_ids\": \(Array(ids[..<($0 + 2)])), \"completion_ids\": \(Array(ids[($0 + 2)...]))}"
    }.joined(separator: "\n")
    let plain = try score(model, input, ["--backend", "reference", "--no-plugins"])
    let tested = try score(model, input, ["--backend", "onednn", "--plugin-path", library])
    #expect(plain.count == 3 * 60 - 9)
    let worst = zip(plain, tested).map { abs($0 - $1) }.max() ?? .infinity
    #expect(plain.count == tested.count && worst < 1e-4, "off by \(worst)")
  }

  private struct Line: Decodable { var logps: [Double] }

  private func score(
    _ model: String, _ input: String, _ arguments: [String]
  ) throws -> [Double] {
    let result = try SparProcess.run(
      ["score", "--model", model, "--threads", "2"] + arguments, input: input)
    #expect(result.status == 0, "\(result.errors)")
    return try result.lines.flatMap {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8)).logps
    }
  }
}

enum OneDNNExample {
  static let needs: Comment = "needs libdnnl-dev, make, and the golden models"

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  static let model =
    (ProcessInfo.processInfo.environment["SPAR_SHARED"].map(URL.init(fileURLWithPath:))
    ?? root.deletingLastPathComponent().appendingPathComponent("shared"))
    .appendingPathComponent("golden/models/llama").path

  static let isPossible = ["/usr/include/dnnl.hpp", "/usr/bin/make", "/usr/bin/g++", model]
    .allSatisfy(FileManager.default.fileExists(atPath:))

  /// The golden tiny Llama, with a tokenizer that knows its letters: tokens come as numbers here.
  static func layModel(in folder: SparProcess.Folder) throws -> String {
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(atPath: model + "/" + name, toPath: folder.file(name))
    }
    let letters = (UInt8(ascii: "a")...UInt8(ascii: "z")).enumerated().map {
      "\"\(UnicodeScalar($0.element))\": \($0.offset)"
    }
    _ = try folder.write(
      "tokenizer.json",
      """
      {"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
       "decoder": {"type": "ByteLevel"},
       "model": {"type": "BPE", "vocab": {\(letters.joined(separator: ", "))}, "merges": []}}
      """)
    return folder.path
  }

  /// Copies the example out of the package and builds it there; the library's path.
  static func build(in folder: SparProcess.Folder) throws -> String {
    let copy = folder.file("onednn-backend")
    try FileManager.default.copyItem(
      atPath: root.appendingPathComponent("docs/examples/onednn-backend").path, toPath: copy)
    let make = Process()
    make.executableURL = URL(fileURLWithPath: "/usr/bin/make")
    make.arguments = [
      "-B", "-C", copy,
      "SPAR_INCLUDE=" + root.appendingPathComponent("Sources/CSparPlugin/include").path,
    ]
    make.standardOutput = FileHandle.standardError
    try make.run()
    make.waitUntilExit()
    #expect(make.terminationStatus == 0, "make failed")
    return copy + "/libspar-onednn.so"
  }
}
