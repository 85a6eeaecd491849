import SparEvaluation

/// A mean over held-out prompts and replicates, with what is known about its error.
public struct Estimate: Equatable, Sendable, Codable {
  public var value: Double
  /// Nil where no figure of each prompt is at hand.
  public var interval: ConfidenceInterval?
  public var prompts: Int
  public var replicates: Int

  init(value: Double, interval: ConfidenceInterval? = nil, prompts: Int, replicates: Int) {
    self.value = value
    self.interval = interval
    self.prompts = prompts
    self.replicates = replicates
  }

  /// Nil for a table without a figure.
  init?(_ table: PromptTable, _ bootstrap: Bootstrap) {
    guard !table.isEmpty else { return nil }
    let resampling = Resampling(
      prompts: table.prompts.count, replicates: table.replicates.count, bootstrap: bootstrap)
    self.init(
      value: table.mean, interval: Resampling.interval(resampling.means(table).compactMap { $0 }),
      prompts: table.prompts.count, replicates: table.replicates.count)
  }
}

/// An arm against the baseline on the same prompts, seed by seed.
public struct Difference: Equatable, Sendable, Codable {
  /// Mean of this arm's figure − the baseline's.
  public var value: Double
  public var interval: ConfidenceInterval
  /// Two-sided, for the hypothesis of no difference; as found, and after Holm's correction over
  /// all arms that are compared with the baseline.
  public var p: Double
  public var corrected: Double
  public var prompts: Int
  /// Replicates that both arms have; 0 = none, and each arm's average over its own was used.
  public var replicates: Int
  /// Prompts on which this arm does better, and worse, on average over replicates.
  public var better: Int
  public var worse: Int

  /// Nil without a prompt that both tables have.  `corrected` is `p` until `Holm` has seen all.
  init?(_ arm: PromptTable, minus baseline: PromptTable, _ bootstrap: Bootstrap) {
    guard let aligned = PromptTable.aligned([arm, baseline]) else { return nil }
    let change = aligned[0] - aligned[1]
    guard !change.isEmpty else { return nil }
    let means = Resampling(
      prompts: change.prompts.count, replicates: change.replicates.count, bootstrap: bootstrap
    ).means(change).compactMap { $0 }
    value = change.mean
    interval = Resampling.interval(means)
    p = Resampling.pValue(means)
    corrected = p
    prompts = change.prompts.count
    replicates = change.replicates == [""] && arm.replicates != [""] ? 0 : change.replicates.count
    let changes = change.averaged.cells[0].compactMap { $0 }
    better = changes.count { $0 > 0 }
    worse = changes.count { $0 < 0 }
  }
}
