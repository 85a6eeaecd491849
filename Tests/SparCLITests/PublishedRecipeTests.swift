import Foundation
import RankerFixtures
import Testing

/// A recipe of a published run with the tiny models that stand in for its own.
struct PublishedRecipe: CustomTestStringConvertible, Sendable {
  var name: String
  var policy: TinyPolicy
  var ranker: TinyRanker
  var testDescription: String { name }

  var path: String { Self.folder + "/\(name).yaml" }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("docs/recipes").path

  static let all = [
    PublishedRecipe(name: "mistral-7b-sppo", policy: .mistral, ranker: .pairrm),
    PublishedRecipe(name: "llama-3-8b-sppo", policy: .llama, ranker: .pairrm),
    PublishedRecipe(name: "gemma-2-9b-sppo", policy: .gemma2, ranker: .pairrm),
    PublishedRecipe(name: "llama-3-8b-gpo-gpm", policy: .llama, ranker: .gpm),
    PublishedRecipe(name: "llama-3-8b-sppo-gpm", policy: .llama, ranker: .gpm),
    PublishedRecipe(name: "llama-3-8b-sppo-bt", policy: .llama, ranker: .bradleyTerry),
    PublishedRecipe(name: "llama-3-8b-sppo-pair-lm", policy: .llama, ranker: .pairLM),
  ]

  /// Lays the models and prompts, and returns the settings that put them in.
  func standIns(in folder: SparProcess.Folder) throws -> [String] {
    try policy.lay(in: folder.file("policy"))
    try ranker.lay(in: folder.file("ranker"))
    for t in 1...2 {
      _ = try folder.write("iter\(t).jsonl", Self.prompts(3, "Say \(t),"))
    }
    let heldout = try folder.write("held.jsonl", Self.prompts(2, "Tell"))
    let settings = [
      "model=\(folder.file("policy"))", "ranker.model=\(folder.file("ranker"))",
      "prompts=\(folder.file("iter{t}.jsonl"))", "evaluate.prompts=\(heldout)",
      "output_dir=\(folder.file("out"))", "iterations=2", "generate.pairs=3",
      "generate.max_new_tokens=12", "evaluate.resamples=100", "train.learning_rate=1e-4",
      // Three steps: the first of the published schedule has a rate of 0.
      "train.per_device_train_batch_size=1", "train.gradient_accumulation_steps=1",
    ]
    return settings.flatMap { ["--set", $0] }
  }

  private static func prompts(_ count: Int, _ text: String) -> String {
    (0..<count).map { "{\"prompt\": \"\(text) \($0)?\", \"prompt_id\": \"p\($0)\"}\n" }.joined()
  }
}

@Suite("Recipes of published runs") struct PublishedRecipeTests {
  @Test("run from end to end on tiny models of their architectures", arguments: PublishedRecipe.all)
  func endToEnd(recipe: PublishedRecipe) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let settings = try recipe.standIns(in: folder)
    let run = try SparProcess.run(["run", recipe.path] + settings)
    #expect(run.status == 0, "\(run.errors)")
    for t in 1...2 {
      let evaluation = folder.file("out/iteration-\(t)/evaluation.json")
      #expect(FileManager.default.fileExists(atPath: evaluation))
      let folder = folder.file("out/iteration-\(t)/train")
      let steps = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(steps.contains { $0.hasPrefix("step-") }, "\(steps)")
    }
    let record = try String(contentsOfFile: folder.file("out/run.json"), encoding: .utf8)
    #expect(record.contains("preset upstream-code, recipe "))
  }

  @Test("the paper's settings run, too, and are others")
  func paper() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = PublishedRecipe.all[3]
    let settings = try recipe.standIns(in: folder) + ["--set", "preset=paper"]
    let run = try SparProcess.run(["run", recipe.path, "--until", "rank"] + settings)
    #expect(run.status == 0, "\(run.errors)")
    let shown = try SparProcess.run(["run", recipe.path, "--show"] + settings).output
    #expect(shown.contains("mean-of-orders"))
    #expect(shown.contains("preset paper, recipe "))
  }

  @Test("both presets of every recipe decode")
  func presets() throws {
    let found = try FileManager.default.contentsOfDirectory(atPath: PublishedRecipe.folder)
    for recipe in PublishedRecipe.all {
      #expect(found.contains("\(recipe.name).yaml"))
      for (preset, rendering) in [("upstream-code", "upstream"), ("paper", "exact")] {
        let shown = try SparProcess.run(["run", recipe.path, "--show", "--preset", preset])
        #expect(shown.status == 0, "\(recipe.name): \(shown.errors)")
        let row = try #require(shown.lines.first { $0.hasPrefix("render ") })
        #expect(
          row.contains(" \(rendering) ") && row.contains("preset \(preset), recipe "), "\(row)")
      }
    }
  }

  @Test("a preset that is not there is an error with those that are")
  func unknownPreset() throws {
    let path = PublishedRecipe.all[0].path
    let run = try SparProcess.run(["run", path, "--show", "--set", "preset=papre"])
    #expect(run.status == 2)
    #expect(run.errors.contains(#"preset is "papre"; the recipe has upstream-code, paper"#))
    let other = try SparProcess.run(["run", path, "--set", "plan.prompts=3"])
    #expect(other.status == 2 && other.errors.contains("--plan only"), "\(other.errors)")
  }

  @Test("a plan needs neither weights nor data, and says what is missing")
  func plan() throws {
    let path = PublishedRecipe.all[0].path
    let plan = try SparProcess.run(["run", path, "--plan", "--json"])
    #expect(plan.status == 0, "\(plan.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(plan.output.utf8))
    let fields = try #require(object as? [String: Any])
    #expect((fields["parameters"] as? Double).map { abs($0 - 7.2417e9) < 1e6 } == true)
    let notes = try #require(fields["notes"] as? [String])
    #expect(notes.count { $0.hasPrefix("not on this machine") } == 3, "\(notes)")
    let unknown = try SparProcess.run(["run", path, "--plan", "--set", "plan.model="])
    #expect(unknown.status == 1 && unknown.errors.contains("--set plan.model=FILE"))
  }

  @Test("a plan of the demo begins with the training of its ranker")
  func ownRanker() throws {
    let shape = PublishedRecipe.folder + "/shapes/mistral-7b.json"
    let settings = [
      "model=nowhere", "train_ranker.model=nowhere", "plan.model=\(shape)", "plan.ranker=\(shape)",
    ]
    let plan = try SparProcess.run(
      ["run", PublishedRecipe.folder + "/smollm2-sppo-gpm.yaml", "--plan", "--json"]
        + settings.flatMap { ["--set", $0] })
    #expect(plan.status == 0, "\(plan.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(plan.output.utf8))
    let stages = (object as? [String: Any])?["stages"] as? [[String: Any]] ?? []
    #expect(
      stages.prefix(4).map { $0["stage"] as? String }
        == ["bootstrap", "train-ranker", "evaluate-ranker", "heldout"])
    #expect(stages.allSatisfy { ($0["operations"] as? Double ?? 0) > 0 })
  }
}
