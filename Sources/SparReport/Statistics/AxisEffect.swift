import SparEvaluation
import SparPipeline

/// The marginal means of the win rate over one axis: for each value, the mean over the arms that
/// have it, each arm counting alike.
public struct AxisEffect: Equatable, Sendable, Codable {
  public struct Value: Equatable, Sendable, Codable {
    public var value: String
    public var winRate: Estimate
    public var arms: Int
  }
  public var axis: String
  public var values: [Value]

  typealias Entry = (values: [String: String], table: PromptTable)

  /// Nil where the arms share no prompt.
  init?(_ axis: SweepRecord.Axis, of entries: [Entry], _ bootstrap: Bootstrap) {
    guard let cells = MarginalMeans(entries, bootstrap) else { return nil }
    self.axis = axis.name
    values = axis.values.compactMap { value in
      let matching = entries.indices.filter { entries[$0].values[axis.name] == value }
      guard let estimate = cells.mean(of: matching) else { return nil }
      return Value(value: value, winRate: estimate, arms: matching.count)
    }
  }
}

/// The win rate for each pair of values of two axes, as the mean over the arms that have both.
public struct Interaction: Equatable, Sendable, Codable {
  public var axis: String
  public var by: String
  public var values: [String]
  public var byValues: [String]
  /// `means[b][a]` for `byValues[b]` and `values[a]`; nil where no arm has both.
  public var means: [[Estimate?]]

  /// Nil where the arms share no prompt, or no value of one axis meets two of the other.
  init?(
    _ axis: SweepRecord.Axis, _ by: SweepRecord.Axis, of entries: [AxisEffect.Entry],
    _ bootstrap: Bootstrap
  ) {
    guard let cells = MarginalMeans(entries, bootstrap) else { return nil }
    self.axis = axis.name
    self.by = by.name
    values = axis.values
    byValues = by.values
    means = by.values.map { byValue in
      axis.values.map { value in
        cells.mean(
          of: entries.indices.filter {
            entries[$0].values[axis.name] == value && entries[$0].values[by.name] == byValue
          })
      }
    }
    guard means.contains(where: { row in row.count { $0 != nil } > 1 }) else { return nil }
  }
}

/// Means over several arms, resampled together.
private struct MarginalMeans {
  private let tables: [PromptTable]
  private let resampled: [[Double?]]

  init?(_ entries: [AxisEffect.Entry], _ bootstrap: Bootstrap) {
    guard let tables = PromptTable.aligned(entries.map(\.table)), let first = tables.first else {
      return nil
    }
    let resampling = Resampling(
      prompts: first.prompts.count, replicates: first.replicates.count, bootstrap: bootstrap)
    self.tables = tables
    resampled = tables.map(resampling.means)
  }

  func mean(of places: [Int]) -> Estimate? {
    guard let first = places.first else { return nil }
    let value = places.reduce(0) { $0 + tables[$1].mean } / Double(places.count)
    let figures = resampled[first].indices.compactMap { resample -> Double? in
      let drawn = places.compactMap { resampled[$0][resample] }
      return drawn.count == places.count
        ? drawn.reduce(0, +) / Double(places.count) : nil
    }
    return Estimate(
      value: value, interval: Resampling.interval(figures),
      prompts: tables[first].prompts.count, replicates: tables[first].replicates.count)
  }
}
