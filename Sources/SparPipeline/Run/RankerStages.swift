import Foundation
import SparEvaluation
import SparHost
import SparModel
import SparPreference
import SparRankerTraining
import SparStore

// The stages that make the run's own ranker: bootstrap, train-ranker, evaluate-ranker.
extension SelfPlayRun {
  /// The names of these stages, in order, under `settings`.
  static func rankerStages(_ settings: TrainRankerSettings) -> [String] {
    guard settings.isOn else { return [] }
    let stages = settings.bootstrap.isEmpty ? ["train-ranker"] : ["bootstrap", "train-ranker"]
    return stages + (settings.bootstrapping.heldoutShare > 0 ? ["evaluate-ranker"] : [])
  }

  /// Trains the run's ranker unless that is done; returns where it is and its identity, or nil when
  /// it stopped at the target.
  func trainRanker() throws -> (path: String, digest: String?)? {
    let settings = recipe.trainRanker
    let folder = directory.ranker
    try folder.create()
    let model = try ModelIdentity.digest(settings.model)
    var comparisons = settings.dataset
    var digest: String? = keys.comparisons
    if !settings.bootstrap.isEmpty {
      let made = try bootstrap(model, folder)
      (comparisons, digest) = (made.output, made.record.outputDigest)
      if isTarget(0, "bootstrap") { return nil }
    }
    let trained = try stage(
      StageRequest(
        name: "train-ranker", iteration: 0, folder: folder,
        key: keys.rankerTraining(model: model, comparisons: digest), outputs: ["train"],
        output: "train/ranker/model.safetensors")
    ) {
      let backbone = try runtime.model(settings.model)
      let options = try settings.options(seed: recipe.run.seed)
      let rows = try comparisonRows(comparisons)
      let read = try RankerComparisons(
        comparisons, rows: rows.training,
        encoder: RankerEncoder(backbone, maxLength: options.maxLength))
      let result = try RankerTrainer(
        backbone, data: read.data, dataDigest: digest ?? "", options: options,
        output: folder.training
      ).run(progress: report, isCancelled: isCancelled)
      // What was left out or cut, by reason.
      let skipped = Dictionary(
        read.skipped.map { ("comparisons " + $0.key, Double($0.value)) }, uniquingKeysWith: +)
      return (result.folder + "/model.safetensors", result.figures.merging(skipped) { $1 })
    }
    let path = trained.file("train/ranker")
    if isTarget(0, "train-ranker") { return nil }
    if settings.bootstrapping.heldoutShare > 0 {
      try evaluateRanker(path, trained.record.outputDigest, comparisons, digest, folder)
      if isTarget(0, "evaluate-ranker") { return nil }
    }
    return (path, trained.record.outputDigest)
  }

  private func bootstrap(_ model: String, _ folder: RunDirectory.Folder) throws -> StageOutcome {
    let settings = recipe.trainRanker
    return try stage(
      StageRequest(
        name: "bootstrap", iteration: 0, folder: folder, key: keys.bootstrap(model: model),
        outputs: ["right.h5", "comparisons.jsonl"]
          + (settings.bootstrapping.kinds.contains(.derailed) ? ["derailed.h5"] : [])
          + (settings.bootstrapping.heldoutShare > 0 ? ["heldout.jsonl"] : []),
        output: "comparisons.jsonl")
    ) {
      let summary = try BootstrapRun(
        runtime.model(settings.model), settings.bootstrapOptions(seed: recipe.run.seed),
        threads: runtime.threads
      ).run(
        prompts: inputs.bootstrapPrompts, source: settings.bootstrap, folder: folder.path,
        progress: report, cancelled: isCancelled)
      return (
        summary.path,
        [
          "prompts": Double(summary.prompts), "pairs": Double(summary.trainingCount),
          "heldout_pairs": Double(summary.heldoutCount),
        ]
      )
    }
  }

  /// How often the ranker is right about comparisons that it was not trained on.
  private func evaluateRanker(
    _ path: String, _ trained: String?, _ comparisons: String, _ digest: String?,
    _ folder: RunDirectory.Folder
  ) throws {
    _ = try stage(
      StageRequest(
        name: "evaluate-ranker", iteration: 0, folder: folder,
        key: keys.rankerAccuracy(trained: trained, comparisons: digest),
        outputs: ["accuracy.json"], output: "accuracy.json")
    ) {
      let rows = try comparisonRows(comparisons).heldout.map(\.labelled)
      guard !rows.isEmpty else {
        throw RankerTrainingError.option(
          key: "heldout_share", found: "\(recipe.trainRanker.bootstrapping.heldoutShare)",
          wanted: "large enough for one comparison of \(comparisons), or 0")
      }
      let ranker = try runtime.ranker(recipe.trainedRanker(path))
      let ranked = try RankingRun(
        ranker: ranker, rule: recipe.rank.rule, batchSize: 8, stage: "evaluate-ranker"
      ).tables(
        rows.map { .init(name: $0.name, query: $0.query) }, inputs: [digest ?? ""],
        journal: folder.accuracy + ".journal", progress: report, cancelled: isCancelled)
      let found = try RankerAccuracyReport(
        rows, native: ranked.native, givesRawScores: ranker.givesRawScores,
        rule: recipe.rank.rule, ranker: "\(ranker.identity)",
        bootstrap: Bootstrap(resamples: recipe.evaluate.resamples, seed: recipe.run.seed))
      try found.write(to: folder.accuracy)
      try ranked.journal.remove()
      return (folder.accuracy, ["accuracy": found.accuracy.value])
    }
  }

  /// Rows to train on and rows held out: files of their own where they were bootstrapped, else the
  /// last share of the data set.
  private func comparisonRows(
    _ path: String
  ) throws -> (training: [ComparisonRow], heldout: [ComparisonRow]) {
    let rows = try ComparisonRow.read(path)
    let settings = recipe.trainRanker
    guard settings.bootstrap.isEmpty else {
      let folder = (path as NSString).deletingLastPathComponent
      guard settings.bootstrapping.heldoutShare > 0 else { return (rows, []) }
      return (rows, try ComparisonRow.read(folder + "/heldout.jsonl"))
    }
    let count = Int(settings.bootstrapping.heldoutShare * Double(rows.count))
    return (Array(rows.dropLast(count)), rows.suffix(count))
  }
}

extension RankerTrainingResult {
  /// For the report.
  var figures: [String: Double] {
    var figures = ["steps": Double(steps), "pairs": Double(pairs), "tau": temperature]
    figures["last_loss"] = history.last { $0.values["loss"] != nil }?.values["loss"]
    figures["longer_wins"] = longerWins
    return figures
  }
}
