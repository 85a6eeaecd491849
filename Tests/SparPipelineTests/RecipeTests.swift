import Foundation
import SparPipeline
import SparTraining
import Testing

@Suite("Recipe") struct RecipeTests {
  private func resolve(
    _ yaml: String, set: [String] = [], flags: [(String, String)] = []
  ) throws -> ResolvedRecipe {
    var resolved = ResolvedRecipe()
    try resolved.apply(RecipeFile(text: yaml, path: "/nowhere/recipe.yaml"))
    try resolved.apply(set: set.map { try ResolvedRecipe.Assignment($0) })
    try resolved.apply(flags: flags.map { .init(key: $0.0, value: $0.1) })
    return resolved
  }

  @Test("nested and dotted keys are the same thing")
  func nesting() throws {
    let nested = try resolve("train:\n  optim: adamw\n  learning_rate: 1e-5\n")
    let dotted = try resolve("train.optim: adamw\ntrain.learning_rate: 1e-5\n")
    #expect(nested.recipe == dotted.recipe)
    #expect(nested.recipe.train.optimizer == .adamw)
  }

  @Test(
    "familiar spellings mean the setting",
    arguments: [
      "temperature: 0.3", "generate.temperature: 0.3", "generate: {temperature: 0.3}",
    ])
  func aliases(yaml: String) throws {
    #expect(try resolve(yaml).recipe.generate.temperature == 0.3)
  }

  @Test("an alias may carry its stage", arguments: ["maxlen", "generate.maxlen", "max-new-tokens"])
  func stagedAlias(key: String) throws {
    #expect(try resolve("\(key): 17").recipe.generate.maxNewTokens == 17)
  }

  @Test(
    "numbers with an exponent are numbers, quoted or not",
    arguments: ["1e-5", "1.0e-5", "0.00001", "\"1e-5\""])
  func exponents(text: String) throws {
    #expect(try resolve("learning_rate: \(text)").recipe.train.learningRate == 1e-5)
  }

  @Test("an unknown key is an error that names line and nearest key")
  func unknownKey() throws {
    let error = #expect(throws: RecipeError.self) {
      try resolve("model: m\ntrain:\n  lerning_rate: 1e-6\n")
    }
    #expect(
      error
        == .unknownKey(
          key: "train.lerning_rate", place: .recipe(path: "/nowhere/recipe.yaml", line: 3),
          nearest: "train.learning_rate"))
    #expect("\(try #require(error))".hasPrefix("/nowhere/recipe.yaml:3: "))
  }

  @Test("training has a seed of its own, which is the run's unless it is given")
  func trainingSeed() throws {
    #expect(try resolve("seed: 7").recipe.trainingSeed == 7)
    let own = try resolve("seed: 7\ntrain: {seed: 3}\n").recipe
    #expect(own.trainingSeed == 3)
    #expect(own.run.seed == 7)
  }

  @Test("what varies is kept apart from the settings, with its lines")
  func vary() throws {
    let file = try RecipeFile(
      text: "model: m\nvary:\n  seed: [1, 2]\n  lr: {from: 1, to: 2}\n", path: "r")
    #expect(file.entries.map(\.key) == ["model"])
    let vary = try #require(file.vary)
    #expect(vary.field("lr")?.field("to")?.content == .text("2"))
    #expect(vary.field("seed")?.line == 3)
  }

  @Test("nothing near, nothing suggested")
  func nothingNear() {
    #expect(SettingTable.nearest(to: "qqqqqqqqqqqq") == nil)
  }

  @Test(
    "a value outside its range or type is an error",
    arguments: [
      "top_p: 0", "top_p: 1.5", "top_p: nan", "temperature: -1", "pairs: 0", "pairs: 2.5",
      "iterations: 0", "seed: -1", "shuffle: perhaps", "optim: sgdd", "probability_rule: mean",
      "warmup_ratio: 2", "learning_rate: fast",
    ])
  func ranges(yaml: String) {
    let error = #expect(throws: RecipeError.self) { try resolve(yaml) }
    guard case .value = error else {
      Issue.record("not an error of the value: \(String(describing: error))")
      return
    }
  }

  @Test("defaults < recipe < --set < flags, each with its origin")
  func precedence() throws {
    let resolved = try resolve(
      "temperature: 0.1\ntop_p: 0.2\npairs: 3\n", set: ["top_p=0.4", "pairs=4"],
      flags: [("pairs", "5")])
    #expect(resolved.recipe.generate.temperature == 0.1)
    #expect(resolved.recipe.generate.topP == 0.4)
    #expect(resolved.recipe.generate.pairs == 5)
    #expect(resolved.origin(of: "generate.top_k") == .preset)
    #expect(
      resolved.origin(of: "generate.temperature")
        == .recipe(path: "/nowhere/recipe.yaml", line: 1))
    #expect(resolved.origin(of: "generate.top_p") == .set)
    #expect(resolved.origin(of: "generate.pairs") == .flag("pairs"))
  }

  @Test("of --set and of flags the last one counts")
  func lastCounts() throws {
    let flags = try resolve("", flags: [("pairs", "3"), ("num_generations", "7")])
    #expect(flags.recipe.generate.pairs == 7)
    #expect(try resolve("", set: ["pairs=3", "pairs=4"]).recipe.generate.pairs == 4)
  }

  @Test("the same setting twice in one recipe is an error, whatever its spelling")
  func twice() {
    #expect(throws: RecipeError.self) {
      try resolve("temperature: 0.1\ngenerate.temperature: 0.2")
    }
    #expect(throws: RecipeError.self) { try resolve("pairs: 3\npairs: 4") }
  }

  @Test("options of objective and ranker stay open until their plugin is known")
  func openOptions() throws {
    let resolved = try resolve(
      "objective: {name: gpo, target-clamp: 5}\nranker.model: m\n", flags: [("beta", "0.01")])
    #expect(resolved.recipe.objective.name == "gpo")
    #expect(resolved.recipe.objective.options == ["target_clamp": "5", "beta": "0.01"])
    #expect(resolved.recipe.ranker.options == ["model": "m"])
    #expect(resolved.rows.contains { $0.name == "objective.beta" && $0.origin == .flag("beta") })
  }

  @Test("`objective: dpo` alone chooses the objective")
  func shortChoice() throws {
    #expect(try resolve("objective: dpo").recipe.objective.name == "dpo")
    #expect(try resolve("loss_type: dpo").recipe.objective.name == "dpo")
  }

  @Test(
    "broken YAML and other shapes are errors with a line",
    arguments: ["a: [1", "- 1\n- 2", "just text", "iterations: [1, 2]", "a: {b"])
  func broken(yaml: String) {
    #expect(throws: RecipeError.self) { try resolve(yaml) }
  }

  @Test("an empty recipe is the defaults")
  func empty() throws {
    #expect(try resolve("# nothing\n").recipe == Recipe())
  }

  @Test("only the first = of --set separates", arguments: [("a=b=c", "a", "b=c"), ("k=", "k", "")])
  func assignments(text: String, key: String, value: String) throws {
    #expect(try ResolvedRecipe.Assignment(text) == .init(key: key, value: value))
    #expect(throws: RecipeError.self) { try ResolvedRecipe.Assignment("novalue") }
  }

  @Test("every setting shows its default in a form that it reads back")
  func defaultsReadBack() throws {
    for setting in SettingTable.all where !setting.defaultText.isEmpty {
      let resolved = try resolve("\(setting.name): \"\(setting.defaultText)\"")
      #expect(resolved.recipe == Recipe(), "\(setting.name)")
    }
  }

  @Test("every recipe in docs/recipes decodes, and its inputs, or the shapes of them, are there")
  func shippedRecipes() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let folder = root.appendingPathComponent("docs/recipes")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".yaml") }
    #expect(!names.isEmpty)
    for name in names {
      let file = try RecipeFile(path: folder.appendingPathComponent(name).path)
      // Rankers are compared on data that are made on the way.
      guard file.rankerComparison == nil else { continue }
      var resolved = ResolvedRecipe()
      try resolved.apply(file)
      let recipe = resolved.recipe
      // Data and models of a published run are fetched; its shapes stand in for a plan.
      let isPublished = !recipe.plan.model.isEmpty
      for path in isPublished ? [recipe.plan.model, recipe.plan.ranker] : [recipe.run.prompts] {
        #expect(FileManager.default.fileExists(atPath: path), "\(name): \(path)")
      }
      #expect(FileManager.default.fileExists(atPath: recipe.evaluate.prompts), "\(name)")
    }
  }
}
