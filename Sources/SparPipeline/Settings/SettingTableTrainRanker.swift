import SparRankerTraining

// Names are those of `spar train-ranker` and `spar data bootstrap`.
extension SettingTable {
  static let trainRankerSettings: [Setting] = dataOfRanker + headOfRanker + stepsOfRanker

  private static let dataOfRanker: [Setting] = [
    .text(
      "train_ranker.model", \.trainRanker.model, isInputPath: true,
      "transformer under the head of a ranker that is trained before iteration 1; empty = none is"),
    .text(
      "train_ranker.dataset", \.trainRanker.dataset, isInputPath: true,
      "comparisons to train it on"),
    .text(
      "train_ranker.bootstrap", \.trainRanker.bootstrap, isInputPath: true,
      "prompts to make comparisons of instead, from the model's own answers"),
    .number(
      "train_ranker.heldout_share", \.trainRanker.bootstrapping.heldoutShare,
      in: NumberRange(0, 1, includesUpper: false),
      "share of prompts (dataset: of rows), from the end, that measures its accuracy"),
    .integer(
      "train_ranker.bootstrap_count", \.trainRanker.bootstrapping.count, in: 0...Int.max,
      "the first so many prompts; 0 = all"),
    .integer(
      "train_ranker.bootstrap_max_new_tokens", \.trainRanker.bootstrapping.maxNewTokens,
      in: 1...Int.max, "most tokens of an answer"),
    .number(
      "train_ranker.bootstrap_temperature", \.trainRanker.bootstrapping.temperature,
      in: .atLeastZero, "of good answers; 0 = greedy"),
    .number(
      "train_ranker.derail_temperature", \.trainRanker.bootstrapping.derailTemperature,
      in: .positive, "of derailed answers"),
    .corruptions(
      "train_ranker.bootstrap_kinds", \.trainRanker.bootstrapping.kinds,
      "what good answers are compared with, one comparison a prompt each"),
  ]

  private static let headOfRanker: [Setting] = [
    .choice("train_ranker.kind", \.trainRanker.kind, "which ranker; `ranker` must use it"),
    .integer(
      "train_ranker.value_head_dim", \.trainRanker.valueHeadDim, in: 2...65536,
      "dimension of embeddings, even (gpm)"),
    .choice(
      "train_ranker.gate", \.trainRanker.gate, "weights of an embedding's blocks (gpm)"),
    .truth("train_ranker.l2", \.trainRanker.l2, "embeddings are divided by their norm (gpm)"),
    .number(
      "train_ranker.general_preference_tau", \.trainRanker.tau, in: .atLeastZero,
      "τ that scores are divided by; 0 = 0.1 for gpm, 1 for bradley-terry"),
    .choice(
      "train_ranker.train", \.trainRanker.scope,
      "head: the transformer stays as it is; lora: adapters, merged in the end; full"),
    .integer(
      "train_ranker.lora_rank", \.trainRanker.loraRank, in: 1...65536, "of adapters (lora)"),
    .number(
      "train_ranker.lora_alpha", \.trainRanker.loraAlpha, in: .positive,
      "adapters count alpha/rank (lora)"),
  ]

  private static let stepsOfRanker: [Setting] = [
    .number(
      "train_ranker.learning_rate", \.trainRanker.learningRate, in: .atLeastZero,
      "peak step size; 0 = 1e-3 for head, 1e-4 for lora, 1e-5 for full"),
    .number(
      "train_ranker.max_epochs", \.trainRanker.epochs, in: .positive,
      "passes over the comparisons"),
    .integer(
      "train_ranker.train_batch_size", \.trainRanker.batchSize, in: 1...Int.max,
      "comparisons of one step"),
    .integer(
      "train_ranker.group_size", \.trainRanker.groupSize, in: 1...Int.max,
      "consecutive comparisons that are shuffled as one"),
    .integer(
      "train_ranker.max_len", \.trainRanker.maxLength, in: 2...Int.max,
      "tokens of prompt and answer; the answer's end is cut"),
    .integer(
      "train_ranker.save_steps", \.trainRanker.saveSteps, in: 0...Int.max,
      "steps between checkpoints to go on from; 0 = only when stopped"),
  ]
}

extension Setting {
  /// Kinds of corruption, comma-separated; "all" for all of them.
  fileprivate static func corruptions(
    _ name: String, _ field: RecipeField<[Corruption]>, _ help: String
  ) -> Setting {
    let names = Corruption.allCases.map(\.rawValue)
    return Setting(
      name, [], type: "all|" + names.joined(separator: "|") + ",…", help: help,
      write: { recipe, text throws(Expectation) in
        var kinds: [Corruption] = []
        for word in text == "all" ? names : text.split(separator: ",").map(String.init) {
          let word = word.trimmingCharacters(in: .whitespaces).replacing("_", with: "-")
          guard let kind = Corruption(rawValue: word), !kinds.contains(kind) else {
            throw Expectation(
              text: "all, or some of \(names.joined(separator: ",")), each once")
          }
          kinds.append(kind)
        }
        guard !kinds.isEmpty else { throw Expectation(text: "at least one kind") }
        // One order, so that the same kinds give the same comparisons.
        recipe[keyPath: field] = Corruption.allCases.filter(kinds.contains)
      },
      text: { recipe in
        let kinds = recipe[keyPath: field]
        return kinds == Corruption.allCases
          ? "all" : kinds.map(\.rawValue).joined(separator: ",")
      })
  }
}
