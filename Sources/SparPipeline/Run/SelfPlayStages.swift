import Foundation
import SparEvaluation
import SparGeneration
import SparHost
import SparModel
import SparPreference
import SparRanking
import SparStore
import SparTraining

// The stages as the loop calls them.
extension SelfPlayRun {
  func generate(
    _ policy: LanguageModel, iteration t: Int, folder: RunDirectory.Folder
  ) throws -> StageOutcome {
    let prompts = slices.slices[t - 1]
    let options = recipe.generate.named(seed: recipe.run.seed, iteration: t)
    return try stage(
      StageRequest(
        name: "generate", iteration: t, folder: folder,
        key: keys.generation(model: policy.digest, iteration: t),
        outputs: ["prompts.jsonl", "candidates.h5"], output: "candidates.h5")
    ) {
      let lines = try prompts.jsonLines()
      try AtomicFile.writeBytes(to: folder.prompts, doing: "writing the prompts") { file in
        try lines.withUnsafeBytes { try file.write($0) }
      }
      let summary = try GenerationStage(policy, options, threads: runtime.threads).run(
        prompts: prompts, source: folder.prompts, output: folder.candidates, progress: report,
        cancelled: isCancelled)
      return (folder.candidates, summary.figures)
    }
  }

  func rank(
    iteration t: Int, folder: RunDirectory.Folder, candidates: StageOutcome
  ) throws -> StageOutcome {
    try stage(
      StageRequest(
        name: "rank", iteration: t, folder: folder,
        key: keys.ranking(
          candidates: candidates.record.outputDigest, trained: trainedDigest),
        outputs: ["preferences.h5"], output: "preferences.h5")
    ) {
      let start = ContinuousClock.now
      let summary = try RankingStage(
        ranker(),
        RankingOptions(
          probabilityRule: recipe.rank.rule, selection: recipe.rank.selection,
          input: recipe.rank.input)
      ).run(
        candidates: candidates.output, output: folder.preferences, progress: report,
        cancelled: isCancelled)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      var figures = summary.figures
      let tokens = try CandidatesFile.read(candidates.output).table.tokens
      figures["tokens_per_second"] = Double(tokens) / max(seconds, 1e-9)
      return (folder.preferences, figures)
    }
  }

  /// Returns the checkpoint of the last step.
  func train(
    _ policy: LanguageModel, iteration t: Int, folder: RunDirectory.Folder,
    candidates: StageOutcome, preferences: StageOutcome
  ) throws -> String {
    try stage(
      StageRequest(
        name: "train", iteration: t, folder: folder,
        key: keys.training(
          model: policy.digest, candidates: candidates.record.outputDigest,
          preferences: preferences.record.outputDigest),
        outputs: ["train"], isDigested: false)
    ) {
      let result = try TrainingRun(
        policy: policy,
        data: .stored(preferences: preferences.output, candidates: candidates.output),
        objective: recipe.objective, options: recipe.train, seed: recipe.trainingSeed,
        output: folder.training, runtime: runtime
      ).run(progress: report, cancelled: isCancelled)
      return (result.checkpoint, result.figures)
    }.output
  }

  /// Held-out answers: the same prompts and random streams for the base and for every policy.
  func answerHeldout(
    _ policy: LanguageModel, iteration t: Int, folder: RunDirectory.Folder
  ) throws -> StageOutcome {
    try folder.create()
    var options = recipe.generate.named(seed: recipe.run.seed, iteration: 0)
    options.pairs = recipe.evaluate.pairs
    options.shardLength = 0
    options.shard = 0
    return try stage(
      StageRequest(
        name: "heldout", iteration: t, folder: folder, key: keys.heldout(model: policy.digest),
        outputs: ["heldout.h5"], output: "heldout.h5")
    ) {
      let summary = try GenerationStage(policy, options, threads: runtime.threads).run(
        prompts: heldout, source: recipe.evaluate.prompts, output: folder.heldout,
        progress: report, cancelled: isCancelled)
      return (folder.heldout, summary.figures)
    }
  }

  func evaluate(
    iteration t: Int, folder: RunDirectory.Folder, policy: StageOutcome, base: StageOutcome
  ) throws {
    _ = try stage(
      StageRequest(
        name: "evaluate", iteration: t, folder: folder,
        key: keys.evaluation(
          policy: policy.record.outputDigest, base: base.record.outputDigest,
          trained: trainedDigest),
        outputs: ["evaluation.json"], output: "evaluation.json")
    ) {
      try judge(policy, base, by: ranker(), output: folder.evaluation)
    }
  }

  /// The same answers by another ranker than the run's.
  func check(
    _ other: PluginChoice, iteration t: Int, folder: RunDirectory.Folder, policy: StageOutcome,
    base: StageOutcome
  ) throws {
    let output = folder.evaluation(by: other.name)
    let name = (output as NSString).lastPathComponent
    _ = try stage(
      StageRequest(
        name: RunTarget.check + other.name, iteration: t, folder: folder,
        key: keys.evaluation(
          policy: policy.record.outputDigest, base: base.record.outputDigest, trained: nil,
          check: other.name),
        outputs: [name], output: name)
    ) {
      // Loaded for this alone: it may be a model of its own.
      try judge(policy, base, by: runtime.ranker(other), output: output)
    }
  }

  private func judge(
    _ policy: StageOutcome, _ base: StageOutcome, by ranker: AnswerRanker, output: String
  ) throws -> (output: String, figures: [String: Double]) {
    let result = try WinRate(
      ranker,
      WinRate.Options(
        probabilityRule: recipe.rank.rule,
        bootstrap: Bootstrap(resamples: recipe.evaluate.resamples, seed: recipe.run.seed))
    ).run(
      policy: policy.output, base: base.output, output: output, progress: report,
      cancelled: isCancelled)
    return (output, ["win_rate": result.value])
  }
}

extension GenerationOptions {
  /// With the run's seed, and the iteration that names its random streams.
  public func named(seed: UInt64, iteration: Int) -> GenerationOptions {
    var options = self
    options.seed = seed
    options.iteration = iteration
    return options
  }
}

extension GenerationSummary {
  var figures: [String: Double] {
    [
      "prompts": Double(prompts), "answers": Double(answers), "mean_tokens": meanTokens,
      "ended": ended, "tokens_per_second": tokensPerSecond,
    ]
  }
}

extension RankingSummary {
  var figures: [String: Double] {
    var figures = ["prompts": Double(prompts), "pairs": Double(pairs), "ties": Double(ties)]
    figures["chosen_length"] = chosenLength
    figures["rejected_length"] = rejectedLength
    figures["score_length_correlation"] = scoreLengthCorrelation
    return figures
  }
}

extension CandidateTable {
  /// Of all answers.
  var tokens: Int {
    rows.reduce(0) { $0 + $1.answers.reduce(0) { $0 + $1.ids.count } }
  }
}
