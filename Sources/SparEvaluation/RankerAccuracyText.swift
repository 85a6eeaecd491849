import Foundation
import SparDiagnostics

// The figures of a ranker in words: a table for the terminal, sentences for a run's report.
extension RankerAccuracyReport {
  /// Name and figure, without the calibration.
  public var rows: [[String]] {
    var table = [
      ["accuracy", Self.percent(accuracy)], ["longer answer wins", Self.percent(longerWins)],
    ]
    for share in strata {
      table.append([
        "\(share.stratum.rawValue), \(share.count) rows",
        Self.percent(share.accuracy)
          + (share.stratum == .matched
            ? ", longer wins \(Self.percent(share.longerWins.value))" : ""),
      ])
    }
    if let prefersLonger {
      table.append(["prefers the longer answer", Self.percent(prefersLonger)])
    }
    if let chosenFirst, let chosenSecond, let consistency {
      table.append([
        "chosen first, second", "\(Self.percent(chosenFirst)), \(Self.percent(chosenSecond))",
      ])
      table.append(["same verdict in both orders", Self.percent(consistency)])
    }
    for score in sections {
      table.append([
        "section \(score.name)" + (score.isComplete ? "" : " (not all subsets)"),
        Self.percent(score),
      ])
    }
    if let overall { table.append(["RewardBench", Self.percent(overall)]) }
    return table + subsets.map { ["  " + $0.name, Self.percent($0)] }
  }

  /// "calibration, P by mean-of-orders"
  public var calibrationTitle: String {
    "calibration, P " + (probabilityRule.map { "by \($0.rawValue)" } ?? "as the ranker gives it")
  }

  /// What the run's own ranker gets right, kind by kind, what length alone would have, and whether
  /// its probabilities can be believed.
  public var lines: [String] {
    func line(
      _ name: String, _ count: Int, _ right: RankerAccuracy.Share, _ longer: RankerAccuracy.Share
    ) -> String {
      "\(name), \(count) comparisons: right in \(Self.percent(right)), the longer answer in "
        + Self.percent(longer.value)
    }
    let named = kinds.filter { !$0.name.isEmpty }
    return [line("ranker, held-out", comparisons, accuracy, longerWins)]
      + named.map { line($0.name, $0.comparisons, $0.accuracy, $0.longerWins) }
      + (prefersLonger.map {
        ["where lengths differ, it prefers the longer answer in \(Self.percent($0))"]
      } ?? [])
      + (calibration.map { found in
        [
          "\(calibrationTitle): "
            + found.rows.map { $0.joined(separator: " ") }
            .joined(separator: "; ")
        ]
      } ?? [])
  }

  static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  static func percent(_ share: RankerAccuracy.Share) -> String {
    percent(share.value)
      + String(format: " (%.1f–%.1f)", 100 * share.interval.lower, 100 * share.interval.upper)
  }

  private static func percent(_ score: RewardBench.Score) -> String {
    percent(score.accuracy)
      + (score.standardError.map { String(format: " ± %.1f", 100 * $0) } ?? "")
      + ", \(score.count) rows"
  }
}
