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
