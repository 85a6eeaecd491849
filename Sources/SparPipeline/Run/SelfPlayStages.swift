import Foundation
import SparEvaluation
import SparGeneration
import SparHost
import SparModel
import SparRanking
import SparStore
import SparTraining

// The stages as the loop calls them.
extension SelfPlayRun {
  func generate(
    _ policy: LanguageModel, iteration t: Int, folder: RunDirectory.Folder
  ) throws -> StageLedger.Record {
    let prompts = slices.slices[t - 1]
    let options = recipe.generate.named(seed: recipe.run.seed, iteration: t)
    return try stage(
      RunStage.generate.rawValue, in: folder, key: generationKey(policy, iteration: t),
      output: folder.candidates
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
    folder: RunDirectory.Folder, candidates: StageLedger.Record
  ) throws -> StageLedger.Record {
    try stage(
      RunStage.rank.rawValue, in: folder, key: rankingKey(candidates: candidates),
      output: folder.preferences
    ) {
      let start = ContinuousClock.now
      let summary = try RankingStage(
        ranker,
        RankingOptions(probabilityRule: recipe.rank.rule, selection: recipe.rank.selection)
      ).run(
        candidates: folder.candidates, output: folder.preferences, progress: report,
        cancelled: isCancelled)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      var figures = summary.figures
      let tokens = try CandidatesFile.read(folder.candidates).table.tokens
      figures["tokens_per_second"] = Double(tokens) / max(seconds, 1e-9)
      return (folder.preferences, figures)
    }
  }

  /// Returns the checkpoint of the last step.
  func train(
    _ policy: LanguageModel, iteration t: Int, folder: RunDirectory.Folder,
    candidates: StageLedger.Record, preferences: StageLedger.Record
  ) throws -> String {
    let record = try stage(
      RunStage.train.rawValue, in: folder,
      key: trainingKey(policy, candidates: candidates, preferences: preferences),
      output: nil, isDigested: false
    ) {
      let result = try TrainingRun(
        policy: policy,
        data: .stored(preferences: folder.preferences, candidates: folder.candidates),
        objective: recipe.objective, options: recipe.train, seed: recipe.run.seed,
        output: folder.training, runtime: runtime
      ).run(progress: report, cancelled: isCancelled)
      return (result.checkpoint, result.figures)
    }
    return folder.path + "/" + (record.output ?? "")
  }

  /// Held-out answers: the same prompts and random streams for the base and for every policy.
  /// Returns the digest of heldout.h5.
  func answerHeldout(
    _ policy: LanguageModel, folder: RunDirectory.Folder
  ) throws -> String? {
    try folder.create()
    var options = recipe.generate.named(seed: recipe.run.seed, iteration: 0)
    options.pairs = recipe.evaluate.pairs
    options.shardLength = 0
    options.shard = 0
    return try stage(
      "heldout", in: folder, key: heldoutKey(policy), output: folder.heldout
    ) {
      let summary = try GenerationStage(policy, options, threads: runtime.threads).run(
        prompts: heldout, source: recipe.evaluate.prompts, output: folder.heldout,
        progress: report, cancelled: isCancelled)
      return (folder.heldout, summary.figures)
    }.outputDigest
  }

  func evaluate(
    _ policy: LanguageModel, folder: RunDirectory.Folder, baseDigest: String?
  ) throws {
    let digest = try answerHeldout(policy, folder: folder)
    _ = try stage(
      RunStage.evaluate.rawValue, in: folder,
      key: evaluationKey(policy: digest, base: baseDigest), output: folder.evaluation
    ) {
      let result = try WinRate(
        ranker,
        WinRate.Options(
          probabilityRule: recipe.rank.rule,
          bootstrap: Bootstrap(resamples: recipe.evaluate.resamples, seed: recipe.run.seed))
      ).run(
        policy: folder.heldout, base: directory.base.heldout, output: folder.evaluation,
        progress: report, cancelled: isCancelled)
      return (folder.evaluation, ["win_rate": result.value])
    }
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
