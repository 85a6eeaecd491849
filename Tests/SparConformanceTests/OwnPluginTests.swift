import Foundation
import SparConformance
import Testing

@Suite("Plugins of this repository") struct OwnPluginTests {
  @Test(
    "conform, without a warning",
    arguments: ["openblas", "sppo", "gpo", "dpo", "length"])
  func conform(_ name: String) throws {
    try requireClean(try checkAll("\(products)/libspar-\(name).so"))
  }

  @Test(
    "conform when they score with a language model",
    .enabled(if: golden != nil, "the golden model is not there"))
  func likelihood() throws {
    let folder = "\(NSTemporaryDirectory())spar-check-model-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { remove(folder) }
    try layTinyModel(try #require(golden), in: folder)
    let report = try checkAll(
      "\(products)/libspar-likelihood.so", options: ["model": folder])
    try requireClean(report)
    // With a model nothing is skipped but what cannot concern a model.
    let skipped = report.results.filter { $0.verdict.name == "skipped" }.map(\.test)
    #expect(
      Set(skipped) == ["errors.no-memory", "ranker.long-text", "ranker.concurrent-calls"])
  }

  @Test(
    "conform with a rule, and when they run the host's models",
    arguments: [
      ("verifier", ["rule": "json"]), ("verifier", ["rule": "regex", "pattern": "a"]),
    ] as [(String, [String: String])])
  func rankers(name: String, options: [String: String]) throws {
    try requireClean(try checkAll("\(products)/libspar-\(name).so", options: options))
  }

  @Test(
    "conform when they bring heads, or ask a local model",
    .enabled(if: golden != nil, "the golden model is not there"),
    arguments: ["gpm", "bradley-terry", "pair-lm", "judge"])
  func heads(name: String) throws {
    let folder = "\(NSTemporaryDirectory())spar-check-model-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { remove(folder) }
    try layTinyModel(try #require(golden), in: folder)
    if name == "gpm" || name == "bradley-terry" {
      let weights = folder + "/model.safetensors"
      try FileManager.default.removeItem(atPath: weights)
      try FileManager.default.copyItem(
        atPath: "\(try #require(golden))/rankers/gpm/\(name == "gpm" ? "gpm" : "bt").safetensors",
        toPath: weights)
    }
    // Of 64 answers only so much is read that the check stays short.
    let short = name == "pair-lm" ? ["max-tokens": "110"] : [:]
    try requireClean(
      try checkAll(
        "\(products)/libspar-\(name).so", options: short.merging(["model": folder]) { $1 }))
  }

  @Test("that need a model say so where there is none, and are not blamed")
  func withoutModel() throws {
    let report = try checkAll("\(products)/libspar-likelihood.so")
    #expect(report.conforms, "\(report.lines)")
    let result = try #require(report.results.first { $0.test == "ranker.probabilities" })
    #expect(result.verdict.detail?.contains("--option") == true, "\(result)")
  }

  @Test("and the example in docs, compiled by cc, conform")
  func example() throws {
    let report = try checkAll(
      try library("ipo", from: "\(repository)/docs/examples/ipo.c"))
    #expect(report.conforms, "\(report.lines.joined(separator: "\n"))")
  }

  private func requireClean(_ report: FileReport) throws {
    let text = report.lines.joined(separator: "\n")
    #expect(report.conforms, "\(text)")
    #expect(!report.results.contains { $0.verdict.name == "warning" }, "\(text)")
    #expect(report.results.count { $0.verdict.name == "passed" } >= 20, "\(text)")
  }

  private func remove(_ folder: String) {
    do {
      try FileManager.default.removeItem(atPath: folder)
    } catch {
      print("cannot remove \(folder): \(error)")
    }
  }
}

/// `shared/golden`, from SPAR_SHARED or beside a parent of this file; nil where it is absent.
let golden: String? = {
  if let shared = ProcessInfo.processInfo.environment["SPAR_SHARED"] { return shared + "/golden" }
  var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  while folder.path != "/" {
    let candidate = folder.appendingPathComponent("shared/golden").path
    if FileManager.default.fileExists(atPath: candidate) { return candidate }
    folder.deleteLastPathComponent()
  }
  return nil
}()

/// The golden tiny Llama (160 ids) with a tokenizer of one id per ASCII character.
private func layTinyModel(_ golden: String, in folder: String) throws {
  for name in ["config.json", "model.safetensors"] {
    try FileManager.default.copyItem(
      atPath: "\(golden)/models/llama/\(name)", toPath: "\(folder)/\(name)")
  }
  var vocabulary = ["<pad>": 0, "<s>": 1, "</s>": 2, "Ġ": 3, "Ċ": 4]
  for byte in 33...126 as ClosedRange<UInt8> {
    vocabulary[String(UnicodeScalar(byte))] = vocabulary.count
  }
  let added = ["<pad>", "<s>", "</s>"].enumerated().map { id, content in
    [
      "id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
      "rstrip": false, "normalized": false,
    ] as [String: Any]
  }
  let byteLevel: [String: Any] = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
  ]
  let model: [String: Any] = [
    "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
    "byte_fallback": false, "vocab": vocabulary, "merges": [String](),
  ]
  try write(
    [
      "version": "1.0", "added_tokens": added, "normalizer": NSNull(),
      "pre_tokenizer": byteLevel, "post_processor": NSNull(), "decoder": byteLevel,
      "model": model,
    ], to: folder + "/tokenizer.json")
  try write(
    [
      "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
      "chat_template":
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}",
    ], to: folder + "/tokenizer_config.json")
}

private func write(_ object: [String: Any], to path: String) throws {
  try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
}
