import Foundation
import SparStore
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
    // The same comparisons have the same P, but for the rounding of floats over τ = 0.1.
    for key in ["brier", "log_loss", "ece"] {
      let (one, other) = (try value(tested, key), try value(accuracy, key))
      #expect(abs(one - other) < 1e-4, "\(key)")
    }
    #expect(accuracy["probability_rule"] as? String == "mean-of-orders")
    #expect(!FileManager.default.fileExists(atPath: folder.file("journal")))
  }

  private func temperature(_ report: [String: Any]) throws -> Double {
    let calibration = try #require(report["calibration"] as? [String: Any])
    return try #require((calibration["temperature"] as? [String: Any])?["value"] as? Double)
  }

  /// A figure of the calibration.
  private func value(_ report: [String: Any], _ key: String) throws -> Double {
    let calibration = try #require(report["calibration"] as? [String: Any])
    return try #require((calibration[key] as? [String: Any])?["value"] as? Double)
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
      "section Chat Hard (not all", "prefers the longer answer", "calibration, P by mean-of-orders",
      "Brier score", "always ½ scores 0.2500", "log loss", "calibration error (ECE)",
      "temperature, fitted here", "sure by 50–55 %           5 rows",
    ] {
      #expect(run.output.contains(text), "\(run.output)")
    }
  }

  @Test("P is by the rule that was asked for, labels by chosen_probs where rows have them")
  func calibration() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let pairs = try folder.write(
      "soft.jsonl",
      #"{"prompt": "a", "chosen": "12345678901", "rejected": "1", "chosen_probs": 0.75}"# + "\n")
    func evaluate(_ more: String...) throws -> [String: Any] {
      let run = try SparProcess.run(
        [
          "evaluate-ranker", "--ranker", "length", "--dataset", pairs, "--journal",
          folder.file("journal"), "--json",
        ] + more)
      #expect(run.status == 0, "\(run.errors)")
      return try json(run.output)
    }
    // Ten characters more are log-odds of 1 by the mean of both orders, and of 2 by their sum.
    for (rule, odds) in [
      ("mean-of-orders", 1.0), ("upstream-table", 2), ("upstream-score", 2),
    ] {
      let found = try evaluate("--probability_rule", rule, "--ranker-option", "scale=10")
      #expect(found["probability_rule"] as? String == rule)
      let p = 1 / (1 + exp(-odds))
      #expect(
        abs(try value(found, "brier") - (0.75 * (1 - p) * (1 - p) + 0.25 * p * p)) < 1e-12)
    }
    // Three of four right by the same log-odds: T times the scale says ¾, and then T is 1.
    _ = try folder.write(
      "soft.jsonl",
      [("12345678901", "1"), ("12345678901", "1"), ("12345678901", "1"), ("1", "12345678901")]
        .enumerated().map {
          #"{"prompt": "\#($0.offset)", "chosen": "\#($0.element.0)", "#
            + #""rejected": "\#($0.element.1)"}"# + "\n"
        }.joined())
    let sure = try temperature(evaluate("--ranker-option", "scale=5"))
    #expect(abs(sure - 2 / log(3)) < 1e-9)
    let right = try temperature(evaluate("--ranker-option", "scale=\(5 * sure)"))
    #expect(abs(right - 1) < 1e-9)
    for (column, clue) in [
      (#""chosen_probs": 1.5"#, "chosen_probs is 1.5"),
      (#""chosen_probs": "high""#, "chosen_probs is no number"),
      (#""margin": "much""#, "margin is no number"),
    ] {
      _ = try folder.write(
        "soft.jsonl",
        #"{"prompt": "a", "chosen": "b", "rejected": "c", \#(column)}"# + "\n")
      let run = try SparProcess.run([
        "evaluate-ranker", "--ranker", "length", "--dataset", pairs, "--journal",
        folder.file("journal"),
      ])
      #expect(run.status != 0 && run.errors.contains(clue), "\(run.errors)")
    }
  }

  @Test("inspect --against tells how well P foretells the other table's verdicts")
  func against() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    func table(_ name: String, _ p: [Double]) throws -> String {
      try PreferencesFile.write(
        to: folder.file(name),
        PreferenceTable(
          K: 2, promptIndex: [0, 1], promptID: ["a", "b"], raw: [0, 1, -1, 0, 0, 1, -1, 0],
          winProbability: p.flatMap { [0.5, $0, 1 - $0, 0.5] },
          logOdds: p.flatMap { [0, log($0 / (1 - $0)), -log($0 / (1 - $0)), 0] },
          rowMean: [0.5, 0.5, 0.5, 0.5], meanScore: [0, 0, 0, 0], score: [1, 0, 1, 0],
          chosen: [0, 0], rejected: [1, 1], status: [.kept, .kept]),
        attributes: ["ranker": .string("ranker of " + name)])
      return folder.file(name)
    }
    let (ours, theirs) = (try table("ours.h5", [0.75, 0.25]), try table("theirs.h5", [0.9, 0.5]))
    let shown = try SparProcess.run(["inspect", ours, "--against", theirs])
    #expect(shown.status == 0, "\(shown.errors)")
    for text in [
      "calibration against the verdicts of \(theirs): 1 pairs of 2 prompts, 1 without a verdict",
      "  Brier score: 0.0625 (", "  sure by 75–80 %: 1 rows",
    ] {
      #expect(shown.output.contains(text), "\(shown.output)")
    }
    let run = try SparProcess.run(["inspect", ours, "--against", theirs, "--json"])
    let found = try #require(
      try json(run.output)["calibration_against_verdicts"] as? [String: Any])
    #expect(found["verdicts_of"] as? String == theirs)
    #expect(found["ranker"] as? String == "ranker of theirs.h5")
    #expect(found["prompts"] as? Int == 2 && found["without_verdict"] as? Int == 1)
    #expect(abs(try value(found, "brier") - 0.0625) < 1e-12)
    let alone = try SparProcess.run(["inspect", ours, "--json"])
    #expect(try json(alone.output)["calibration_against_verdicts"] == nil)
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
