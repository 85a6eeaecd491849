import SparEvaluation

/// The tables of final results as plain cells: the page and the Markdown show the same.
struct ResultTables {
  struct Table {
    var head: [String]
    var rows: [[String]]
  }

  let comparison: Comparison
  let analysis: Analysis

  /// One row an arm: win rates with intervals, length and repetition beside them.
  var results: Table {
    Table(
      head: [
        "arm", "runs", "win rate", "of similar length", "mean P", "tokens", "base tokens",
        "repetition", "base repetition", "ended", "base ended",
      ],
      rows: analysis.arms.enumerated().map { place, arm in
        [
          arm.label + (place == analysis.baseline ? " (baseline)" : ""),
          arm.points.count == arm.planned
            ? "\(arm.planned)" : "\(arm.points.count) of \(arm.planned)",
          Self.share(arm.winRate),
          arm.lengthMatched.map(Self.share) ?? "–", Self.share(arm.meanProbability),
          Self.amount(arm.tokens), Figure.decimals(arm.baseTokens, 1),
          Figure.percent(arm.repetition.value), Figure.percent(arm.baseRepetition),
          Figure.percent(arm.ended), Figure.percent(arm.baseEnded),
        ]
      })
  }

  /// One row for each arm beside the baseline; no rows without one.
  var differences: Table {
    Table(
      head: [
        "arm", "win rate, points", "p", "p (Holm)", "prompts better / worse",
        "of similar length, points", "tokens", "paired over",
      ],
      rows: analysis.arms.compactMap { arm in
        guard let win = arm.winDifference else { return nil }
        return [
          arm.label, "\(Figure.points(win.value)) (\(ReportWords.pointRange(win.interval)))",
          Figure.probability(win.p), Figure.probability(win.corrected),
          "\(win.better) / \(win.worse)",
          arm.matchedDifference.map {
            "\(Figure.points($0.value)) (\(ReportWords.pointRange($0.interval)))"
          } ?? "–",
          arm.tokenDifference.map {
            "\(Figure.signed($0.value, 1)) (\(Figure.signed($0.interval.lower, 1)) to "
              + "\(Figure.signed($0.interval.upper, 1)))"
          } ?? "–",
          "\(win.prompts) prompts"
            + (win.replicates == 0
              ? ", no seed in common" : win.replicates > 1 ? " × \(win.replicates) seeds" : ""),
        ]
      })
  }

  /// One row an arm: the end of its training log; no rows where nothing was logged.
  var training: Table {
    let names = TrainingCurves(comparison).names.filter { name in
      analysis.arms.contains { $0.training[name] != nil }
    }
    guard !names.isEmpty else { return Table(head: [], rows: []) }
    return Table(
      head: ["arm"] + names,
      rows: analysis.arms.map { arm in
        [arm.label] + names.map { name in arm.training[name].map(Figure.short) ?? "–" }
      })
  }

  /// One row for each value of each axis.
  var effects: Table {
    Table(
      head: ["axis", "value", "arms", "win rate", "95 % interval"],
      rows: analysis.effects.flatMap { effect in
        effect.values.map { value in
          [
            effect.axis, value.value.isEmpty ? "(none)" : value.value, "\(value.arms)",
            Figure.percent(value.winRate.value),
            value.winRate.interval.map(ReportWords.range) ?? "–",
          ]
        }
      })
  }

  private static func share(_ estimate: Estimate) -> String {
    Figure.percent(estimate.value)
      + (estimate.interval.map { " (\(ReportWords.range($0)))" } ?? "")
  }

  private static func amount(_ estimate: Estimate) -> String {
    let value = Figure.decimals(estimate.value, 1)
    guard let interval = estimate.interval else { return value }
    return "\(value) (\(Figure.decimals(interval.lower, 1)) – "
      + "\(Figure.decimals(interval.upper, 1)))"
  }
}
