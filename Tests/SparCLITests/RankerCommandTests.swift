import Foundation
import Testing

@Suite("spar train-ranker, evaluate-ranker") struct RankerCommandTests {
  /// Four comparisons that the shorter answer wins, and one that the longer wins.
  private func comparisons(_ folder: SparProcess.Folder) throws -> String {
    let rows = [
      ("a", "aba"), ("b", "abab"), ("ab", "abb"), ("a", "bab"), ("aba", "b"),
    ].enumerated().map { index, row in
      #"{"id": "r\#(index)", "subset": "mt-bench-hard", "prompt": "ab", "#
        + #""chosen": "\#(row.0)", "rejected": "\#(row.1)"}"#
    }
    let path = folder.file("pairs.jsonl")
    try rows.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test(
    "a trained ranker is evaluated by the plugin that its folder is for",
    arguments: ["gpm", "bradley-terry"])
  func around(kind: String) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try ModelCommandTests.model(folder)
    let pairs = try comparisons(folder)
    let trained = try SparProcess.run([
      "train-ranker", "--model", model, "--dataset", pairs, "--kind", kind, "--max_steps", "3",
      "--train_batch_size", "2", "--output_dir", folder.file("out"), "--json", "--test", pairs,
      "--states", folder.file("states"),
    ])
    #expect(trained.status == 0, "\(trained.errors)")
    let result = try json(trained.output)
    #expect(result["pairs"] as? Int == 5 && result["steps"] as? Int == 3)
    #expect(result["longer_wins"] as? Double == 0.2)
    let evaluated = try SparProcess.run([
      "evaluate-ranker", "--ranker", kind, "--ranker-option",
      "model=" + (result["ranker"] as? String ?? ""), "--dataset", pairs, "--journal",
      folder.file("journal"), "--json",
    ])
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let accuracy = try json(evaluated.output)
    #expect(accuracy["comparisons"] as? Int == 5 && accuracy["failed"] as? Int == 0)
    // An antisymmetric ranker gives one verdict in both orders.
    #expect(accuracy["consistency"] as? Double == 1)
    #expect((accuracy["longer_wins"] as? [String: Any])?["value"] as? Double == 0.2)
    // What training said of the finished ranker is what the plugin finds.
    let tested = try #require(result["test"] as? [String: Any])
    for key in ["accuracy", "longer_wins", "strata", "comparisons", "subsets"] {
      #expect(
        (tested[key] as? NSObject) == (accuracy[key] as? NSObject) && tested[key] != nil, "\(key)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("journal")))
  }

  @Test("the ranker length scores what longer answers win")
  func length() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let run = try SparProcess.run([
      "evaluate-ranker", "--ranker", "length", "--dataset", try comparisons(folder), "--journal",
      folder.file("journal"),
    ])
    #expect(run.status == 0, "\(run.errors)")
    for text in [
      "5 comparisons, 0 failed", "longer answer wins", "shorter one chosen, 4 rows",
      "section Chat Hard (not all",
    ] {
      #expect(run.output.contains(text), "\(run.output)")
    }
  }

  @Test(
    "a flag that another makes void is an error",
    arguments: [
      (["--kind", "bradley-terry", "--gate", "softmax"], "belongs to --kind gpm"),
      (["--lora_rank", "4"], "belongs to --train lora"),
      (["--learn_tau", "--general_preference_tau", "1"], "give one"),
      (["--regression_target_margin", "3"], "belongs to --loss regression"),
      (["--ptx_loss", "sft"], "no effect"), (["--max_steps", "1", "--max_epochs", "1"], "exclude"),
      (["--eval_steps", "2"], "neither --validation"),
      (["--train", "lora", "--states", "s"], "--states keeps what --train head"),
      (["--value_head_dim", "3"], "even"),
      (["--kind", "pairrm", "--max_len", "5"], "no effect with --kind pairrm"),
      (["--kind", "pairrm", "--ptx_loss_coef", "0.1"], "no effect with --kind pairrm"),
      (["--kind", "pairrm", "--l2"], "belongs to --kind gpm"),
      (["--kind", "pairrm", "--learn_tau"], "belongs to --kind gpm"),
      (["--source_max_length", "9"], "no effect with --kind gpm"),
    ])
  func void(flags: [String], clue: String) throws {
    let run = try SparProcess.run(
      ["train-ranker", "--model", "none", "--dataset", "none"] + flags)
    #expect(run.status != 0 && run.output.isEmpty)
    #expect(run.errors.contains(clue), "\(run.errors)")
  }

  private static let comparison = [
    "compare_rankers:", "  model: none", "  output_dir: out", "  cycles: [3, 4]", "  prompts: 1",
    "  seeds: 1..2", "  train: {max_epochs: 2}", "  rankers:",
    "    - {name: reward, kind: bradley-terry}",
  ]

  @Test(
    "a comparison of rankers that cannot be read as meant is refused, with its line",
    arguments: [
      (3, "  cycles: [3, 2]", "recipe.yaml:4: cycles has 2"),
      (6, "  train: {max_epoch: 2}", "did you mean \"max_epochs\"?"),
      (6, "  train: {seed: 3}", "seed is not known here"),
      (8, "    - {name: reward, kind: bradley-terry, l2: false}", "belongs to --kind gpm"),
      (8, "    - {kind: gpm}", "needs a name"), (5, "  seeds: one", "whole numbers"),
      (0, "seed: 3\ncompare_rankers:", "has no meaning beside compare_rankers"),
    ])
  func refused(line: Int, text: String, clue: String) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    var lines = Self.comparison
    lines[line] = text
    let recipe = try folder.write("recipe.yaml", lines.joined(separator: "\n") + "\n")
    let run = try SparProcess.run(["run", recipe])
    #expect(run.status != 0 && run.errors.contains(clue), "\(run.errors)")
  }

  @Test("flags that a comparison of rankers does not read, and other commands, are refused")
  func foreign() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write(
      "recipe.yaml", Self.comparison.joined(separator: "\n") + "\n")
    for (arguments, clue) in [
      (["run", recipe, "--beta", "1"], "stands in the recipe alone"),
      (["run", recipe, "--show"], "stands in the recipe alone"),
      (["run", recipe, "--until", "rank"], "is for self-play"),
      (["sweep", recipe], "compare_rankers belongs to `spar run`"),
    ] {
      let run = try SparProcess.run(arguments)
      #expect(run.status != 0 && run.errors.contains(clue), "\(run.errors)")
    }
  }
}
