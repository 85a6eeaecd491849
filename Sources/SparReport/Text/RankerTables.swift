import SparEvaluation
import SparPipeline

// How far rankers can be trusted: the run's own on comparisons with a known answer, and others on the
// answers that it judged.
extension ResultTables {
  /// One row for each run, evaluated iteration and judge; no rows where nobody but the run's ranker
  /// judged.
  var judges: Table {
    Table(
      head: ["run", "iteration", "judge", "win rate", "of similar length", "prompts"],
      rows: comparison.points.flatMap { point in
        point.result.iterations.flatMap { iteration -> [[String]] in
          guard let own = iteration.evaluation, !iteration.checks.isEmpty else { return [] }
          let others = iteration.checks.map { ($0.ranker, $0.report) }
          return ([(RunReport.name(ofRanker: own.ranker) + " (trained with)", own)] + others).map {
            name, report in
            [
              point.id, "\(iteration.number)", name,
              Self.text(report.value, report.interval),
              report.lengthMatched.map { Self.text($0.value, $0.interval) } ?? "–",
              "\(report.n)",
            ]
          }
        }
      })
  }

  /// One row for each run with a ranker of its own and each kind of comparison.
  var rankerAccuracy: Table {
    Table(
      head: ["run", "comparison", "count", "ranker is right", "the longer answer is right"],
      rows: comparison.points.flatMap { point -> [[String]] in
        guard let found = point.result.rankerAccuracy else { return [] }
        let all = ("all", found.comparisons, found.accuracy, found.longerWins)
        return ([all] + found.kinds.map { ($0.name, $0.comparisons, $0.accuracy, $0.longerWins) })
          .map { name, count, accuracy, longer in
            [
              point.id, name.isEmpty ? "–" : name, "\(count)",
              Self.text(accuracy.value, accuracy.interval),
              Self.text(longer.value, longer.interval),
            ]
          }
      })
  }

  private static func text(_ value: Double, _ interval: ConfidenceInterval) -> String {
    "\(Figure.percent(value)) (\(ReportWords.range(interval)))"
  }
}

extension ReportWords {
  /// What to make of the two tables.
  var judges: String {
    "The same held-out answers, judged by rankers that had no part in the training. A gain that only "
      + "the run's own ranker sees may be a weakness of that ranker."
  }

  var rankerAccuracy: String {
    let shares = comparison.points.compactMap { point in
      point.result.rankerAccuracy?.prefersLonger.map { (point.id, $0) }
    }
    let text = shares.map { "\(Figure.percent($0.1)) in \($0.0)" }.joined(separator: ", ")
    return
      "On comparisons that were held out from its training; which answer is better is known from "
      + "how they were made. Where the lengths differ, it prefers the longer answer in "
      + (text.isEmpty ? "none" : text) + "."
  }
}
