import SparDiagnostics
import SparEvaluation

/// How often a ranker agreed with labels, as JSON and as a table.
struct AccuracyFigures: Encodable {
  var comparisons: Int
  var failed: Int
  var accuracy: RankerAccuracy.Share
  var longerWins: RankerAccuracy.Share
  var strata: [RankerAccuracy.StratumShare]
  var chosenFirst: Double?
  var chosenSecond: Double?
  var consistency: Double?
  var subsets: [RewardBench.Score]
  var sections: [RewardBench.Score]
  var overall: Double?

  init(_ found: RankerAccuracy) {
    comparisons = found.results.count
    failed = found.failed
    accuracy = found.accuracy()
    longerWins = found.longerWins()
    strata = found.strata()
    chosenFirst = found.orders?.first
    chosenSecond = found.orders?.second
    consistency = found.orders?.consistency
    subsets = found.bench.subsets
    sections = found.bench.sectionScores
    overall = found.bench.overall
  }

  /// Name and figure.
  var rows: [[String]] {
    var table = [
      ["accuracy", percent(accuracy)], ["longer answer wins", percent(longerWins)],
    ]
    for share in strata {
      table.append([
        "\(share.stratum.rawValue), \(share.count) rows",
        percent(share.accuracy)
          + (share.stratum == .matched ? ", longer wins \(percent(share.longerWins.value))" : ""),
      ])
    }
    if let chosenFirst, let chosenSecond, let consistency {
      table.append(["chosen first, second", "\(percent(chosenFirst)), \(percent(chosenSecond))"])
      table.append(["same verdict in both orders", percent(consistency)])
    }
    for score in sections {
      table.append([
        "section \(score.name)" + (score.isComplete ? "" : " (not all subsets)"), percent(score),
      ])
    }
    if let overall { table.append(["RewardBench", percent(overall)]) }
    return table + subsets.map { ["  " + $0.name, percent($0)] }
  }

  private func percent(_ share: Double) -> String { Figures.short(100 * share) + " %" }

  private func percent(_ share: RankerAccuracy.Share) -> String {
    "\(percent(share.value)) (\(Figures.short(100 * share.interval.lower))–"
      + "\(Figures.short(100 * share.interval.upper)))"
  }

  private func percent(_ score: RewardBench.Score) -> String {
    percent(score.accuracy)
      + (score.standardError.map { " ± \(Figures.short(100 * $0))" } ?? "")
      + ", \(score.count) rows"
  }
}
