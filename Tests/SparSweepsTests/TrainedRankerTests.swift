import Foundation
import SparEvaluation
import SparPipeline
import Testing

/// Runs that train their own ranker first, of a tiny model, through the program.
@Suite("A run with a ranker of its own", .serialized) struct TrainedRankerTests {
  private let tiny: TinySweep

  init() throws {
    tiny = try TinySweep()
    try tiny.work.write(
      "boot.jsonl", (0..<60).map { "{\"prompt\": \"Ask \($0)?\"}\n" }.joined())
    try tiny.work.write(
      "recipe.yaml",
      """
      model: model
      prompts: train.jsonl
      output_dir: out
      iterations: 2
      generate: {pairs: 3, max_new_tokens: 8, temperature: 1.0}
      train_ranker: {model: model, bootstrap: boot.jsonl, bootstrap_max_new_tokens: 60,
        bootstrap_temperature: 1.0, derail_temperature: 3, heldout_share: 0.34, kind: gpm,
        value_head_dim: 4, max_epochs: 3, train_batch_size: 4, max_len: 120, save_steps: 2}
      ranker: {name: gpm}
      objective: {name: sppo, beta: 0.01}
      train: {learning_rate: 1.0e-3, per_device_train_batch_size: 2, max_length: 64,
        max_prompt_length: 32, logging_steps: 1, save_steps: 0}
      evaluate: {prompts: held.jsonl, pairs: 2, resamples: 100, checks: [length, likelihood],
        check: {likelihood: {model: ../model}}}

      """)
  }

  private func run(_ folder: String = "a", _ more: String...) throws -> TinySweep.Outcome {
    try tiny.run(in: folder, ["run", "../recipe.yaml"] + more)
  }

  /// What must be equal, however a run came about.
  private static let results = [
    "ranker/comparisons.jsonl", "ranker/heldout.jsonl", "ranker/accuracy.json",
    "ranker/train/ranker/model.safetensors", "ranker/train/ranker/config.json",
    "iteration-1/evaluation.json", "iteration-2/evaluation.json",
    "iteration-2/evaluation-length.json", "iteration-2/evaluation-likelihood.json",
  ]

  private func results(_ folder: String) throws -> [Data] {
    try Self.results.map { try tiny.bytes("\(folder)/out/\($0)") }
  }

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: tiny.work.file(path))
  }

  @Test("bootstraps, trains, ranks with it, and has others judge; a second time nothing is left")
  func whole() throws {
    let outcome = try run()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("iteration 2, win rate by gpm"))
    #expect(outcome.output.contains("by length") && outcome.output.contains("by likelihood"))
    #expect(outcome.output.contains("ranker, held-out, "))
    let accuracy = try RankerAccuracyReport.read(tiny.work.file("a/out/ranker/accuracy.json"))
    #expect(accuracy.ranker.hasPrefix("gpm ") && accuracy.failed == 0)
    #expect(accuracy.kinds.map(\.comparisons).reduce(0, +) == accuracy.comparisons)
    #expect(Set(accuracy.kinds.map(\.name)).isSubset(of: Set(Self.kinds)))
    #expect(accuracy.calibration?.comparisons == accuracy.comparisons)
    #expect(outcome.output.contains("calibration, P by mean-of-orders: Brier score "))
    let text = String(decoding: try tiny.bytes("a/out/report.md"), as: UTF8.self)
    #expect(text.contains("- calibration, P by mean-of-orders") && text.contains("  - sure by "))
    let preferences = try WinRateReport(json: tiny.bytes("a/out/iteration-1/evaluation.json"))
    #expect(preferences.ranker.contains("out/ranker/train/ranker"))
    let before = try tiny.bytes("a/out/ranker/stages.json")
    #expect(try run().output == outcome.output)
    #expect(try tiny.bytes("a/out/ranker/stages.json") == before)

    let page = try tiny.spar("report", "out", "-o", "r.html")
    #expect(page.status == 0, "\(page.errors)")
    let html = String(decoding: try tiny.bytes("a/r.html"), as: UTF8.self)
    for text in [
      "Other judges", "The ranker", "likelihood", "other-prompt", "train-ranker",
      "Right where it is sure",
    ] {
      #expect(html.contains(text))
    }
    #expect(try tiny.spar("report", "out", "-o", "r.csv").status == 0)
    let table = String(decoding: try tiny.bytes("a/r.csv"), as: UTF8.self)
    #expect(table.contains("check/length,check/length_lower"))
  }

  private static let kinds = ["other-prompt", "cut", "shuffled", "repeated", "derailed"]

  @Test("killed as often as it may be, it comes to the same bits")
  func killed() throws {
    #expect(try run("a").status == 0)
    var times: [UInt32] = []
    var kills = 0
    var random = SystemRandomNumberGenerator()
    for round in 0..<10 {
      let time = UInt32.random(in: 50...UInt32(200 + 60 * round), using: &random)
      times.append(time)
      kills += try tiny.sparKilled(in: "b", after: time, "run", "../recipe.yaml") ? 1 : 0
    }
    #expect(kills > 3, "killed after \(times) ms")
    let outcome = try run("b")
    #expect(outcome.status == 0, "killed after \(times) ms: \(outcome.errors)")
    #expect(try results("a") == results("b"), "killed after \(times) ms")
  }

  @Test("runs of one store share the ranker, and a changed one changes what it ranked")
  func shared() throws {
    func run(_ name: String, _ more: String...) throws -> [String] {
      let outcome = try self.tiny.run(
        in: "a",
        [
          "run", "../recipe.yaml", "--iterations", "1", "--store", "store", "--output_dir", name,
          "--stage-log", name + ".log",
        ] + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try tiny.log("a/\(name).log").filter { $0.action == "computed" }.map(\.stage)
    }
    #expect(
      try run("one") == [
        "bootstrap", "train-ranker", "evaluate-ranker", "heldout", "generate", "rank", "train",
        "heldout", "evaluate", "check-length", "check-likelihood",
      ])
    #expect(
      try run("two", "--objective", "gpo", "--beta", "0.01") == [
        "train", "heldout", "evaluate", "check-length", "check-likelihood",
      ])
    #expect(
      try run("three", "--train_ranker.value_head_dim", "2") == [
        "train-ranker", "evaluate-ranker", "rank", "train", "heldout", "evaluate", "check-length",
        "check-likelihood",
      ])
  }

  @Test("a run stops after a stage of its ranker; the base model's answers need none")
  func until() throws {
    #expect(try run("a", "--until", "base", "--store", "s").status == 0)
    #expect(!exists("a/out/ranker"))
    #expect(try run("a", "--until", "train-ranker", "--store", "s").status == 0)
    #expect(exists("a/out/ranker/train/ranker/config.json"))
    #expect(!exists("a/out/ranker/accuracy.json") && !exists("a/out/iteration-1"))
  }

  @Test("another ranker in the same folder is an error until it is made anew")
  func restart() throws {
    #expect(try run("a", "--iterations", "1").status == 0)
    let candidates = try tiny.bytes("a/out/iteration-1/candidates.h5")
    let changed = ["--iterations", "1", "--train_ranker.value_head_dim", "2"]
    let refused = try tiny.run(in: "a", ["run", "../recipe.yaml"] + changed)
    #expect(refused.status != 0)
    #expect(refused.errors.contains("--restart-from ranker"), "\(refused.errors)")
    let outcome = try tiny.run(
      in: "a", ["run", "../recipe.yaml", "--restart-from", "ranker"] + changed)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try tiny.bytes("a/out/iteration-1/candidates.h5") == candidates)
  }

  @Test(
    "a ranker that would not be used, or otherwise than it was trained, is refused",
    arguments: [
      (["--ranker", "length"], "nothing would use the gpm"),
      (["--ranker-option", "model=../model"], "leave it out"),
      (["--ranker-option", "tau=1"], "leave it out"),
      (["--train_ranker.bootstrap_count", "99"], "has 60 prompts, the run needs 99"),
      (["--train_ranker.bootstrap", "../held.jsonl"], "held-out prompts must be new"),
      (["--train_ranker.value_head_dim", "3"], "even"),
      (["--evaluate.checks", "nobody"], "nobody"),
    ])
  func refused(flags: [String], clue: String) throws {
    let outcome = try tiny.run(in: "a", ["run", "../recipe.yaml"] + flags)
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains(clue), "\(outcome.errors)")
    #expect(!exists("a/out/ranker"))
  }

  @Test("a data set of comparisons in place of bootstrapping; its last rows are held out")
  func dataset() throws {
    try tiny.work.write(
      "pairs.jsonl",
      (0..<9).map {
        "{\"prompt\": \"Say \($0)\", \"chosen\": \"ab\($0)\", \"rejected\": \"ba\($0)b\"}\n"
      }.joined())
    let recipe = try String(contentsOfFile: tiny.work.file("recipe.yaml"), encoding: .utf8)
    let start = try #require(recipe.range(of: "bootstrap: boot"))
    let end = try #require(recipe.range(of: "heldout_share"))
    try tiny.work.write(
      "recipe.yaml",
      recipe.replacingCharacters(
        in: start.lowerBound..<end.lowerBound, with: "dataset: pairs.jsonl, "))
    let outcome = try run("a", "--iterations", "1")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let accuracy = try RankerAccuracyReport.read(tiny.work.file("a/out/ranker/accuracy.json"))
    #expect(accuracy.comparisons == 3 && accuracy.longerWins.value == 0)
  }

  @Test("spar data bootstrap: the same rows twice, of the run's own kind")
  func command() throws {
    let flags = [
      "--model", "../model", "--max-new-tokens", "60", "--temperature", "1",
      "--derail-temperature", "3", "--heldout-share", "0.34",
    ]
    for folder in ["a", "b"] {
      let outcome = try tiny.run(in: folder, ["data", "bootstrap", "../boot.jsonl"] + flags)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let rows = try tiny.bytes("a/bootstrap/comparisons.jsonl")
    #expect(try rows == tiny.bytes("b/bootstrap/comparisons.jsonl"))
    #expect(try run("a", "--until", "bootstrap", "--store", "s").status == 0)
    #expect(try tiny.bytes("a/out/ranker/comparisons.jsonl") == rows)
    let void = try tiny.run(
      in: "a", ["data", "bootstrap", "../boot.jsonl"] + flags + ["--kinds", "cut"])
    #expect(void.status != 0 && void.errors.contains("--kinds leaves out"), "\(void.errors)")
  }
}
