import Foundation
import Testing

/// A tiny random model without a tokenizer, and what transformers computed for it: the files of
/// `Tests/Golden` and, where it is there, of the shared folder.
private struct Golden: CustomTestStringConvertible, Sendable {
  let path: String
  var testDescription: String { (path as NSString).lastPathComponent }

  static let all: [Golden] = {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    let own = ["phi3", "phi3-longrope", "llama-yarn", "llama-linear", "mistral-old", "gemma2-odd"]
    let others = ["llama", "llama3", "mistral", "gemma2", "qwen2", "qwen3"]
    var shared = ProcessInfo.processInfo.environment["SPAR_SHARED"] ?? ""
    var folder = tests.deletingLastPathComponent()
    while shared.isEmpty, folder.path != "/" {
      let beside = folder.appendingPathComponent("shared").path
      if FileManager.default.fileExists(atPath: beside + "/golden/models") { shared = beside }
      folder = folder.deletingLastPathComponent()
    }
    return own.map { Golden(path: tests.path + "/Golden/" + $0) }
      + others.map { Golden(path: shared + "/golden/models/" + $0) }
      .filter { FileManager.default.fileExists(atPath: $0.path) }
  }()

  /// A tensor of expected.safetensors, four bytes a value.
  func values<T: BitwiseCopyable>(_ name: String, as: T.Type) throws -> [T] {
    let file = try Data(contentsOf: URL(fileURLWithPath: path + "/expected.safetensors"))
    let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: file[8..<8 + length]) as? [String: Any])
    let entry = try #require(header[name] as? [String: Any])
    let place = try #require(entry["data_offsets"] as? [Int])
    let bytes = Data(file[(8 + length + place[0])..<(8 + length + place[1])])
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: T.self) }
    }
  }
}

@Suite("Models without a tokenizer, by the command line") struct IDsOnlyTests {
  private func objects(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  private func line(_ object: [String: Any]) throws -> String {
    String(
      decoding: try JSONSerialization.data(withJSONObject: object, options: .sortedKeys),
      as: UTF8.self) + "\n"
  }

  @Test(
    "score and greedy generation give transformers' numbers", arguments: Golden.all,
    ["reference", "openblas"])
  fileprivate func golden(_ model: Golden, _ backend: String) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    var input = ""
    for i in 0..<3 {
      let ids = try model.values("ids.\(i)", as: Int32.self)
      input += try line([
        "prompt_ids": Array(ids.prefix(1)), "completion_ids": Array(ids.dropFirst()),
      ])
    }
    let scored = try SparProcess.run(
      ["score", "--model", model.path, "--backend", backend], input: input)
    #expect(scored.status == 0, "\(scored.errors)")
    let rows = try objects(scored.output)
    try #require(rows.count == 3)
    for (i, row) in rows.enumerated() {
      let expected = try model.values("logp.\(i)", as: Float.self)
      let found = try #require(row["logps"] as? [Double])
      try #require(found.count == expected.count)
      for (a, b) in zip(found, expected) { #expect(abs(a - Double(b)) < 1e-4) }
    }
    let greedy = try model.values("greedy", as: Int32.self)
    let prompts = try folder.write(
      "prompts.jsonl", try line(["prompt_ids": Array(greedy.prefix(6))]))
    let made = try SparProcess.run([
      "generate", "--model", model.path, "--prompts", prompts, "--pairs", "2",
      "--temperature", "0", "--maxlen", "24", "--backend", backend,
      "--output", folder.file("c.h5"), "--jsonl", folder.file("c.jsonl"),
    ])
    #expect(made.status == 0, "\(made.errors)")
    let written = try objects(String(contentsOfFile: folder.file("c.jsonl"), encoding: .utf8))
    let answer = try #require((written.first?["answers"] as? [[String: Any]])?.first)
    let ids = try #require(answer["ids"] as? [Int])
    // transformers went on beyond the end token, id 2.
    let expected = greedy.dropFirst(6).map { Int($0) }
    let end = expected.firstIndex(of: 2).map { $0 + 1 } ?? expected.count
    #expect(ids == Array(expected.prefix(end)))
    #expect(answer["text"] as? String == "")
  }

  @Test(
    "training on ids: the same losses on both backends, from ln 2", arguments: Golden.all.prefix(1))
  fileprivate func training(_ model: Golden) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let ids = try (0..<3).map { try model.values("ids.\($0)", as: Int32.self) }
    let pairs = try folder.write(
      "pairs.jsonl",
      try ids.map {
        try line([
          "prompt_ids": Array($0.prefix(3)), "chosen_ids": Array($0[3..<6]) + [2],
          "rejected_ids": Array($0.suffix(2)) + [2],
        ])
      }.joined())
    var losses: [[Double]] = []
    for backend in ["reference", "openblas"] {
      let trained = try SparProcess.run([
        "train", "--model", model.path, "--preferences", pairs, "--objective", "dpo",
        "--max_steps", "4", "--learning_rate", "1e-4", "--logging_steps", "1", "--backend", backend,
        "--json",
        "--output_dir", folder.file(backend),
      ])
      #expect(trained.status == 0, "\(trained.errors)")
      let result = try #require(try objects(trained.output).last)
      let log = try #require(result["log"] as? [[String: Double]])
      losses.append(log.compactMap { $0["loss"] })
      let checkpoint = try #require(result["checkpoint"] as? String)
      let again = try SparProcess.run(
        ["score", "--model", checkpoint],
        input: try line(["prompt_ids": [3], "completion_ids": [4, 5]]))
      #expect(again.status == 0, "\(again.errors)")
    }
    #expect(abs((losses[0].first ?? 0) - log(2)) < 1e-6)
    #expect((losses[0].last ?? 1) < 0.693)
    #expect(losses[0].count == losses[1].count)
    for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 1e-3) }
  }

  @Test("text for such a model is an error that says what to give")
  func text() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try #require(Golden.all.first).path
    let prompts = try folder.write("prompts.jsonl", "{\"prompt\":\"Hi\"}\n")
    let pairs = try folder.write(
      "pairs.jsonl", "{\"prompt\":\"Hi\",\"chosen\":\"a\",\"rejected\":\"b\"}\n")
    let score = ["score", "--model", model]
    for (arguments, input) in [
      (score, "{\"prompt\":\"a\",\"completion\":\"b\"}"),
      (score, "{\"prompt_ids\":[3],\"completion\":\"b\"}"),
      (["generate", "--model", model, "--prompts", prompts, "--output", folder.file("c.h5")], ""),
      (["train", "--model", model, "--preferences", pairs, "--output_dir", folder.file("o")], ""),
    ] {
      let result = try SparProcess.run(arguments, input: input)
      #expect(result.status == 1)
      #expect(
        result.errors.contains("no tokenizer") && result.errors.contains("prompt_ids"),
        "\(result.errors)")
    }
  }

  @Test("ids that the model has not are refused, and so is ranking what nobody can decode")
  func refusals() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try #require(Golden.all.first).path
    for ids in ["[3,999]", "[]"] {
      let prompts = try folder.write("prompts.jsonl", "{\"prompt_ids\":\(ids)}\n")
      let result = try SparProcess.run([
        "generate", "--model", model, "--prompts", prompts, "--output", folder.file("c.h5"),
      ])
      #expect(result.status == 1)
      #expect(result.errors.contains("prompt 0"), "\(result.errors)")
    }
    let prompts = try folder.write("prompts.jsonl", "{\"prompt_ids\":[3]}\n")
    let made = try SparProcess.run([
      "generate", "--model", model, "--prompts", prompts, "--pairs", "2", "--maxlen", "2",
      "--output", folder.file("c.h5"),
    ])
    #expect(made.status == 0, "\(made.errors)")
    let ranked = try SparProcess.run([
      "rank", "--candidates", folder.file("c.h5"), "--ranker", "length",
      "--output", folder.file("p.h5"),
    ])
    #expect(
      ranked.status == 1 && ranked.errors.contains("has no tokenizer to decode"), "\(ranked.errors)"
    )
  }
}
