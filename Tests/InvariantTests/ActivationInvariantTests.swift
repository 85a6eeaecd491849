import Foundation
import SparStore
import Testing

/// Capturing changes nothing and does not depend on interruptions, through the program.
@Suite(
  "Activation invariants", .serialized,
  .enabled(if: SparProgram.isReady, "needs a built spar and `spar model fetch smollm2-135m`"))
struct ActivationInvariantTests {
  let work: WorkFolder

  init() throws { work = try WorkFolder() }

  /// Runs to the end; the text of an error is an issue.
  func run(_ arguments: [String]) throws {
    let outcome = try SparProgram.run(arguments: arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  func journalLines(_ path: String) -> Int {
    FileManager.default.contents(atPath: path + ".journal")?.count { $0 == 0x0A } ?? 0
  }

  func equal(_ first: String, _ second: String, _ series: [String]) throws {
    let (a, b) = (try H5File.open(first), try H5File.open(second))
    for name in series {
      let values = try a.read(name, as: Float.self)
      #expect(!values.isEmpty)
      #expect(try values == b.read(name, as: Float.self), "\(name)")
    }
    for name in ["row/token", "row/position", "sample/answer"] {
      #expect(try a.read(name, as: Int32.self) == b.read(name, as: Int32.self), "\(name)")
    }
    #expect(try a.readStrings("sample/id") == b.readStrings("sample/id"))
  }

  @Test("activations of texts: killed and run again is as never killed")
  func texts() throws {
    let input = try work.write(
      "texts.jsonl",
      (0..<30).map { number in
        let sentence = Array(repeating: "the river is wide", count: 1 + number % 9)
        return "{\"text\": \"\(number) \(sentence.joined(separator: ", "))\"}"
      })
    func arguments(_ output: String) -> [String] {
      [
        "activations", "--model", "smollm2-135m", "--input", input, "--layers", "0,15,30",
        "--sites", "residual,mlp", "--output", output,
      ]
    }
    let (killed, fresh) = (work.file("killed.h5"), work.file("fresh.h5"))
    let isKilled = try SparProgram.runAndKill(
      arguments(killed), when: { journalLines(killed) >= 2 })
    #expect(isKilled, "the program was done before it could be killed")
    #expect(!FileManager.default.fileExists(atPath: killed))
    try run(arguments(killed))
    try run(arguments(fresh))
    try equal(
      killed, fresh, ["residual/0", "residual/15", "residual/30", "mlp/15", "mlp/30"])
  }

  @Test("a layer that the model has not is an error with the range")
  func layer() throws {
    let input = try work.write("texts.jsonl", ["{\"text\": \"x\"}"])
    let outcome = try SparProgram.run(
      "activations", "--model", "smollm2-135m", "--input", input, "--layers", "15,31", "--output",
      work.file("a.h5"))
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("no layer 31; its layers are 0"), "\(outcome.errors)")
    #expect(outcome.errors.contains("to 30"))
  }

  @Test("generating with a capture, killed and run again: the same answers, the same activations")
  func generate() throws {
    let prompts = try work.write(
      "prompts.jsonl",
      ["Name a colour.", "What do bees make?", "Add 2 and 3."].map { "{\"prompt\": \"\($0)\"}" })
    func arguments(_ name: String, _ capture: String?) -> [String] {
      [
        "generate", "--model", "smollm2-135m", "--prompts", prompts, "--pairs", "2", "--maxlen",
        "10", "--batch", "2", "--output", work.file(name),
      ]
        + (capture.map {
          [
            "--capture", work.file($0), "--capture-rows", "0,2", "--capture-layers", "15",
            "--capture-sites", "attention",
          ]
        } ?? [])
    }
    try run(arguments("plain.h5", nil))
    try run(arguments("fresh.h5", "fresh-activations.h5"))
    let isKilled = try SparProgram.runAndKill(
      arguments("killed.h5", "killed-activations.h5"),
      when: { journalLines(work.file("killed.h5")) >= 2 })
    #expect(isKilled, "the program was done before it could be killed")
    try run(arguments("killed.h5", "killed-activations.h5"))
    let plain = try CandidatesFile.read(work.file("plain.h5")).table
    #expect(try CandidatesFile.read(work.file("fresh.h5")).table == plain)
    #expect(try CandidatesFile.read(work.file("killed.h5")).table == plain)
    try equal(
      work.file("fresh-activations.h5"), work.file("killed-activations.h5"), ["attention/15"])
    let tokens = [0, 2].flatMap { row in plain.rows[row].answers.flatMap(\.ids) }
    let file = try H5File.open(work.file("fresh-activations.h5"))
    #expect(try file.read("row/token", as: Int32.self) == tokens)
  }

  @Test("ranking with a capture gives the same preferences, and the ranker's model on all answers")
  func rank() throws {
    let prompts = try work.write("prompts.jsonl", ["{\"prompt\": \"Name a colour.\"}"])
    let candidates = work.file("candidates.h5")
    try run([
      "generate", "--model", "smollm2-135m", "--prompts", prompts, "--pairs", "3", "--maxlen", "6",
      "--temperature", "1.5", "--output", candidates,
    ])
    let (plain, captured) = (work.file("plain.h5"), work.file("captured.h5"))
    try run(["rank", "--candidates", candidates, "--output", plain])
    let activations = work.file("activations.h5")
    try run([
      "rank", "--candidates", candidates, "--output", captured, "--capture", activations,
      "--capture-sites", "logits", "--capture-positions", "last",
    ])
    let table = try PreferencesFile.read(captured).table
    #expect(try PreferencesFile.read(plain).table == table)
    let file = try H5File.open(activations)
    #expect(try file.read("sample/answer", as: Int32.self) == [0, 1, 2])
    #expect(
      try file.read("sample/label", as: Int8.self)
        == (0..<3).map { $0 == table.chosen[0] ? 1 : $0 == table.rejected[0] ? -1 : 0 })
    #expect(try file.dataset("logits").shape == [3, 49152])
    let other = try SparProgram.run(
      "rank", "--candidates", candidates, "--output", work.file("l.h5"), "--ranker", "length",
      "--capture", work.file("none.h5"))
    #expect(other.status == 2)
    #expect(other.errors.contains("length scores with no language model"), "\(other.errors)")
  }

  @Test("training with a capture gives the same parameters, and the policy before and after")
  func train() throws {
    let pairs = try work.write(
      "pairs.jsonl",
      [("Name a colour.", "Blue.", "I cannot."), ("Add 2 and 3.", "5", "6")].map {
        "{\"prompt\": [{\"role\": \"user\", \"content\": \"\($0.0)\"}], \"chosen\": \"\($0.1)\", "
          + "\"rejected\": \"\($0.2)\"}"
      })
    func arguments(_ name: String) -> [String] {
      [
        "train", "--model", "smollm2-135m", "--preferences", pairs, "--output_dir",
        work.file(name), "--max_steps", "2", "--batch_size", "2", "--learning_rate", "1e-5",
      ]
    }
    let captured = work.file("policy.h5")
    try run(arguments("plain"))
    try run(
      arguments("captured") + [
        "--capture", captured, "--capture-layers", "0,30", "--capture-every", "1",
      ])
    #expect(
      try parameters("plain") == parameters("captured"), "capturing changed the parameters")
    let file = try H5File.open(captured)
    #expect(try file.read("sample/step", as: Int64.self) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    #expect(try file.read("sample/label", as: Int8.self).prefix(4) == [1, -1, 1, -1])
    // Warm-up makes the first step one of size 0: the last one moves the residual stream.
    let values = try file.read("residual/30", as: Float.self)
    let third = values.count / 3
    #expect(Array(values[..<third]) != Array(values[(2 * third)...]))
    // What is over cannot be captured any more.
    let late = try SparProgram.run(
      arguments: arguments("plain") + ["--capture", work.file("l.h5")])
    #expect(late.status == 1)
    #expect(late.errors.contains("activations of step 0 were not captured"), "\(late.errors)")
  }

  /// All parameters' bytes of a run's last checkpoint, as one digest.
  func parameters(_ run: String) throws -> String {
    let file = try CheckpointFile(work.file(run) + "/step-2.h5")
    var digest = SHA256()
    for name in try file.parameterNames().sorted() {
      let count = try file.shape(ofParameter: name).reduce(1, *)
      var values = [Float](repeating: 0, count: count)
      try values.withUnsafeMutableBufferPointer { try file.readParameter(name, into: $0) }
      values.withUnsafeBytes { digest.update($0) }
    }
    return digest.hexDigest()
  }
}
