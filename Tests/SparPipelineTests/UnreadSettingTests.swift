import SparHost
import SparPipeline
import SparTraining
import Testing

@Suite("Settings that nothing would read") struct UnreadSettingTests {
  private func resolve(
    _ yaml: String, flags: [(String, String)] = []
  ) throws -> ResolvedRecipe {
    var resolved = ResolvedRecipe()
    try resolved.apply(RecipeFile(text: yaml, path: "/r.yaml"))
    try resolved.apply(flags: flags.map { .init(key: $0.0, value: $0.1) })
    try resolved.checkEveryValueIsRead()
    return resolved
  }

  @Test(
    "an option of another update rule is an error that names its reader",
    arguments: [
      ("adam_beta1", "rmsprop", "adamw"), ("adam_beta2", "rmsprop", "adamw"),
      ("momentum", "adamw", "rmsprop"), ("rmsprop_alpha", "adamw", "rmsprop"),
    ])
  func optimizers(key: String, chosen: String, reader: String) throws {
    let error = try #require(
      #expect(throws: RecipeError.self) {
        try resolve("train: {\(key): 0.5, optim: \(chosen)}\n")
      })
    #expect("\(error)".hasPrefix("/r.yaml:1: train.\(key) is read by \(reader), but"), "\(error)")
    #expect(throws: Never.self) { try resolve("train: {\(key): 0.5, optim: \(reader)}\n") }
  }

  @Test("a default of another update rule is no error")
  func untouched() {
    #expect(throws: Never.self) { try resolve("train: {optim: adamw, adam_epsilon: 1e-6}\n") }
  }

  @Test(
    "of two settings for one thing, given side by side, it is told which says nothing",
    arguments: [
      ("warmup_ratio: 0.2, warmup_steps: 3", "warmup_ratio", "warmup_steps", "3"),
      ("num_train_epochs: 2, max_steps: 5", "num_train_epochs", "max_steps", "5"),
    ])
  func sideBySide(yaml: String, key: String, winner: String, value: String) throws {
    let told = try resolve("train: {\(yaml)}\n").outweighedBeside
    #expect(told.count == 1)
    #expect(
      told.first?.hasSuffix("train.\(key) says nothing, since train.\(winner) is \(value)") == true)
    #expect(told.first?.contains("/r.yaml:1") == true)
    // A flag may take the place of what a recipe says.
    let given = yaml.split(separator: ",")[0]
    #expect(
      try resolve("train: {\(given)}\n", flags: [(winner, value)]).outweighedBeside.isEmpty)
    #expect(try resolve("train: {\(given), \(winner): 0}\n").outweighedBeside.isEmpty)
  }

  @Test("a shard's number without shards, and a seed of an order that is not drawn, are errors")
  func readByNobody() throws {
    for yaml in ["generate: {data_frac: 1}\n", "train: {seed: 3, shuffle: false}\n"] {
      #expect(throws: RecipeError.self, "\(yaml)") { try resolve(yaml) }
    }
    for yaml in ["generate: {data_frac: 1, frac_len: 8}\n", "train: {seed: 3}\n"] {
      #expect(throws: Never.self, "\(yaml)") { try resolve(yaml) }
    }
  }

  @Test("a recipe's beta for one objective does not become that of another")
  func otherObjective() throws {
    let yaml = "objective: {name: sppo, beta: 0.001}\n"
    let error = try #require(
      #expect(throws: RecipeError.self) { try resolve(yaml, flags: [("objective", "dpo")]) })
    #expect(
      error
        == .otherOwner(
          key: "objective.beta", owner: "sppo", chosen: "dpo",
          place: .recipe(path: "/r.yaml", line: 1)))
    let both = try resolve(yaml, flags: [("objective", "dpo"), ("beta", "0.2")])
    #expect(both.recipe.objective == PluginChoice("dpo", options: ["beta": "0.2"]))
    let same = try resolve(yaml, flags: [("objective", "sppo")])
    #expect(same.recipe.objective.options == ["beta": "0.001"])
  }

  @Test(
    "a rule for one pair is not read where all pairs or answers are trained on",
    arguments: ["all-pairs", "all-answers"])
  func pairRule(pairing: String) throws {
    let error = try #require(
      #expect(throws: RecipeError.self) {
        try resolve("rank.pair_rule: nash\ntrain.pairing: \(pairing)\n")
      })
    #expect(
      "\(error)"
        == "/r.yaml:1: rank.pair_rule is read by best-worst, but train.pairing is \(pairing)")
    for yaml in ["rank.pair_rule: nash\n", "train.pairing: \(pairing)\n"] {
      #expect(throws: Never.self) { try resolve(yaml) }
    }
    #expect(throws: Never.self) {
      try resolve("rank.pair_rule: best-worst\ntrain.pairing: \(pairing)\n")
    }
  }

  @Test(
    "pairing is a setting like others",
    arguments: ["pairing: all_pairs", "train.pairing: all-pairs"])
  func pairing(yaml: String) throws {
    #expect(try resolve(yaml).recipe.train.pairing == .allPairs)
    let error = #expect(throws: RecipeError.self) { try resolve("pairing: every\n") }
    #expect("\(error as Any)".contains("best-worst, all-pairs, all-answers"))
  }

  @Test("single answers are refused to an objective of pairs, and those that take them are named")
  func singleAnswers() throws {
    let host = PluginHost(search: PluginSearch(), threads: 1)
    var recipe = Recipe()
    recipe.train.pairing = .allAnswers
    #expect(throws: Never.self) { try host.checkPairing(recipe) }
    recipe.objective = PluginChoice("dpo")
    let error = #expect(throws: RecipeError.self) { try host.checkPairing(recipe) }
    #expect(
      error == .pairing("all-answers", objective: "dpo", able: ["gpo", "sppo"]))
    recipe.train.pairing = .allPairs
    #expect(throws: Never.self) { try host.checkPairing(recipe) }
  }

  private static let training = "model: m, bootstrap: p.jsonl, "

  @Test(
    "a setting of a ranker's training that another makes void is an error",
    arguments: [
      ("{kind: gpm}", "train_ranker.kind is read by a ranker's training"),
      ("{\(training) dataset: d.jsonl}", "one of them"), ("{model: m}", "one of them"),
      ("{model: m, dataset: d.jsonl, bootstrap_count: 3}", "is read by bootstrap"),
      ("{model: m, dataset: d.jsonl, derail_temperature: 3}", "is read by bootstrap"),
      ("{\(training) bootstrap_kinds: cut, derail_temperature: 3}", "is read by derailed"),
      ("{\(training) kind: bradley-terry, gate: softmax}", "is read by gpm"),
      ("{\(training) kind: bradley-terry, value_head_dim: 4}", "is read by gpm"),
      ("{\(training) lora_rank: 4}", "is read by lora"),
      ("{\(training) bootstrap_kinds: [cut, cut]}", "each once"),
      ("{\(training) bootstrap_kinds: upside-down}", "other-prompt"),
    ])
  func rankerTraining(section: String, clue: String) {
    let error = #expect(throws: RecipeError.self) { try resolve("train_ranker: \(section)\n") }
    #expect("\(error as Any)".contains(clue), "\(error as Any)")
  }

  @Test("who empties a recipe's train_ranker.model on the command line takes the section along")
  func withoutRankerTraining() throws {
    let yaml = "train_ranker: {\(Self.training) kind: gpm}\n"
    let resolved = try resolve(yaml, flags: [("train_ranker.model", "")])
    #expect(!resolved.recipe.trainRanker.isOn)
    #expect(throws: RecipeError.self) {
      try resolve(yaml, flags: [("train_ranker.model", ""), ("train_ranker.max_epochs", "2")])
    }
  }

  @Test("options of other judges go to the judge that they name")
  func judges() throws {
    let yaml = "evaluate: {checks: [pair-lm, length], check: {pair_lm: {model: m}}}\n"
    let found = try resolve(yaml).recipe.evaluate.otherRankers()
    #expect(found == [PluginChoice("pair-lm", options: ["model": "m"]), PluginChoice("length")])
    for wrong in ["checks: length, check.gpm.model: m", "checks: [length, length]", "checks: a=1"] {
      #expect(throws: RecipeError.self) { try resolve("evaluate: {\(wrong)}\n") }
    }
  }
}
