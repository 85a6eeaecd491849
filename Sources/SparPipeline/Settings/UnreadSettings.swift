import SparPreference
import SparTraining

extension ResolvedRecipe {
  /// Which update rules read a setting; those not listed are read by all.
  private static let readers: [String: Set<TrainingOptions.Optimizer>] = [
    "train.rmsprop_alpha": [.rmsprop], "train.momentum": [.rmsprop],
    "train.adam_beta1": [.adamw], "train.adam_beta2": [.adamw],
  ]

  /// Throws for a value that somebody gave and that nothing in this run would read, or that was
  /// meant for another plugin than the one chosen.  For a recipe whose layers are all applied.
  public func checkEveryValueIsRead() throws(RecipeError) {
    try checkPreset()
    for (key, readers) in Self.readers.sorted(by: { $0.key < $1.key }) {
      guard let place = origins[key], !readers.contains(recipe.train.optimizer) else { continue }
      throw .unread(
        key: key, readers: readers.map(\.rawValue).sorted(), chooser: "train.optim",
        chosen: recipe.train.optimizer.rawValue, place: place)
    }
    try checkOrder()
    if let place = origins["generate.data_frac"], recipe.generate.shardLength == 0,
      recipe.generate.shard > 0
    {
      throw .unread(
        key: "generate.data_frac", readers: ["shards"], chooser: "generate.frac_len", chosen: "0",
        place: place)
    }
    if let place = origins["rank.pair_seed"], recipe.rank.selection.rule != .random {
      throw .unread(
        key: "rank.pair_seed", readers: ["random"], chooser: "rank.pair_rule",
        chosen: recipe.rank.selection.rule.rawValue, place: place)
    }
    // All pairs, and all answers, are taken by the scores, whatever one pair the rule would choose.
    if recipe.train.pairing != .bestWorst, recipe.rank.selection.rule != .bestWorst {
      throw .unread(
        key: "rank.pair_rule", readers: ["best-worst"], chooser: "train.pairing",
        chosen: recipe.train.pairing.rawValue, place: origin(of: "rank.pair_rule"))
    }
    try checkTrainRanker()
    _ = try recipe.evaluate.otherRankers()
    try checkOwner(.objective, recipe.objective)
    try checkOwner(.ranker, recipe.ranker)
  }

  /// Settings to which another leaves nothing to say, with that one and its value.
  public var outweighed: [(key: String, by: String, value: String)] {
    let train = recipe.train
    var found: [(key: String, by: String, value: String)] = []
    if train.warmupSteps > 0 {
      found.append(("train.warmup_ratio", "train.warmup_steps", "\(train.warmupSteps)"))
    }
    if train.maxSteps > 0 {
      found.append(("train.num_train_epochs", "train.max_steps", "\(train.maxSteps)"))
    }
    return found
  }

  /// What to tell whoever gave a setting side by side with one that outweighs it.  Steps take the
  /// place of a ratio or of epochs, as in Hugging Face's Trainer, so that is no error.
  public var outweighedBeside: [String] {
    outweighed.compactMap { key, winner, value in
      guard let place = origins[key], let other = origins[winner], place.isBeside(other) else {
        return nil
      }
      return "\(place.prefix)\(key) says nothing, since \(winner) is \(value)"
    }
  }

  /// The seed of an order that is not drawn.
  private func checkOrder() throws(RecipeError) {
    if let place = origins["train.seed"], !recipe.train.shuffle, recipe.run.trainSeed > 0 {
      throw .unread(
        key: "train.seed", readers: ["a shuffled order"], chooser: "train.shuffle",
        chosen: "false", place: place)
    }
  }

  /// Settings of `train_ranker` that another of them makes void.
  private func checkTrainRanker() throws(RecipeError) {
    let settings = recipe.trainRanker
    func check(_ key: String, readBy readers: String, of chooser: String, _ chosen: String)
      throws(RecipeError)
    {
      guard let place = origins["train_ranker.\(key)"] else { return }
      throw .unread(
        key: "train_ranker.\(key)", readers: [readers], chooser: "train_ranker.\(chooser)",
        chosen: chosen, place: place)
    }
    guard settings.isOn else {
      // Who empties a recipe's model on the command line takes the recipe's other settings along.
      var isTakenBack = false
      if let place = origins["train_ranker.model"] { isTakenBack = !place.isRecipe }
      let keys = origins.keys.filter {
        $0.hasPrefix("train_ranker.") && $0 != "train_ranker.model"
      }
      for name in keys.sorted() {
        guard let place = origins[name], !(isTakenBack && place.isRecipe) else { continue }
        throw .unread(
          key: name, readers: ["a ranker's training"], chooser: "train_ranker.model",
          chosen: "empty", place: place)
      }
      return
    }
    guard settings.dataset.isEmpty != settings.bootstrap.isEmpty else {
      throw .trainedRanker(
        "give dataset (comparisons) or bootstrap (prompts to make them of), one of them")
    }
    if settings.bootstrap.isEmpty {
      for key in [
        "bootstrap_count", "bootstrap_max_new_tokens", "bootstrap_temperature",
        "bootstrap_kinds", "derail_temperature",
      ] { try check(key, readBy: "bootstrap", of: "bootstrap", "empty") }
    }
    if !settings.bootstrapping.kinds.contains(.derailed) {
      try check(
        "derail_temperature", readBy: "derailed", of: "bootstrap_kinds",
        settings.bootstrapping.kinds.map(\.rawValue).joined(separator: ","))
    }
    if settings.kind != .gpm {
      for key in ["value_head_dim", "gate", "l2"] {
        try check(key, readBy: "gpm", of: "kind", settings.kind.rawValue)
      }
    }
    if settings.scope != .lora {
      for key in ["lora_rank", "lora_alpha"] {
        try check(key, readBy: "lora", of: "train", settings.scope.rawValue)
      }
    }
  }

  /// A recipe's `beta` for one objective is not the `beta` of the one that a flag puts in its
  /// place, though both have one.
  private func checkOwner(_ stage: Setting.Stage, _ choice: PluginChoice) throws(RecipeError) {
    guard let meant = recipeChoices[stage], meant.name != choice.name else { return }
    for option in choice.options.keys.sorted() {
      let key = "\(stage.rawValue).\(option)"
      guard let place = origins[key] else { continue }
      switch place {
      case .recipe, .recipePreset: break
      case .preset, .set, .flag, .axis: continue
      }
      throw .otherOwner(key: key, owner: meant.name, chosen: choice.name, place: place)
    }
  }
}
