import SparDiagnostics
import SparEvaluation

/// One row for each point and evaluated iteration, numbers in full, for other programs.
struct CSVReport {
  let comparison: Comparison

  /// By column name, in order.
  private typealias Row = [(name: String, value: String)]

  var text: String {
    let metrics = TrainingCurves(comparison).names
    let lines = comparison.points.flatMap { point -> [[String: String]] in
      let evaluated = point.result.iterations.filter { $0.evaluation != nil }
      guard !evaluated.isEmpty else { return [dictionary(identity(point))] }
      return evaluated.map { iteration in
        dictionary(
          identity(point) + [("is_final", isFinal(iteration, of: point) ? "yes" : "no")]
            + figures(iteration) + checks(iteration) + ranking(iteration)
            + training(iteration, metrics))
      }
    }
    let columns =
      header + checkColumns + Self.rankingColumns.map(\.name) + metrics.map { "train/" + $0 }
      + Self.stageColumns
    let table = [columns] + lines.map { line in columns.map { line[$0] ?? "" } }
    return table.map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private static let stages = ["generate", "rank", "train", "heldout", "evaluate"]
  private static let stageColumns = stages.map { "seconds/" + $0 }

  private static let figureColumns = [
    "iteration", "win_rate", "win_rate_lower", "win_rate_upper", "mean_probability",
    "mean_probability_lower", "mean_probability_upper", "length_matched_win_rate",
    "length_matched_lower", "length_matched_upper", "length_matched_prompts", "prompts", "pairs",
    "tie_rate", "identical_rate", "tokens", "base_tokens", "repetition", "base_repetition",
    "ended", "base_ended", "empty", "base_empty",
  ]

  private static let rankingColumns:
    [(name: String, value: @Sendable (TableDiagnostics) -> Double?)] = [
      ("ranking/intransitive_triples", { RankingTables.share($0.intransitiveTriples, $0.triples) }),
      ("ranking/cyclic_prompts", { RankingTables.share($0.cyclicPrompts, $0.prompts) }),
      ("ranking/condorcet_winners", { RankingTables.share($0.condorcetWinners, $0.prompts) }),
      ("ranking/copeland_agrees", { RankingTables.share($0.copelandAgrees, $0.prompts) }),
      ("ranking/borda_agrees", { RankingTables.share($0.bordaAgrees, $0.prompts) }),
      ("ranking/nash_agrees", { RankingTables.share($0.nashAgrees, $0.prompts) }),
      ("ranking/exploitability", { $0.chosenExploitability }),
      ("ranking/order_disagreement", { $0.orderDisagreement }),
      ("ranking/first_position_bias", { $0.firstPositionBias }),
      ("ranking/longer_wins", { $0.longerWins }),
      ("ranking/length_correlation", { $0.lengthCorrelation }),
      ("ranking/truncated", { $0.truncatedAnswers }), ("ranking/refusals", { $0.refusals }),
    ]

  private func ranking(_ iteration: RunResult.Iteration) -> Row {
    guard let table = iteration.ranking?.diagnostics.table else { return [] }
    return Self.rankingColumns.map { ($0.name, Self.number($0.value(table))) }
  }

  private var axisNames: [String] { comparison.axes.map(\.name) }

  private var header: [String] {
    ["point", "arm", "status", "is_final", "error"] + axisNames + Self.figureColumns
  }

  private func dictionary(_ row: Row) -> [String: String] {
    Dictionary(row, uniquingKeysWith: { first, _ in first })
  }

  private func identity(_ point: Comparison.Point) -> Row {
    [
      ("point", point.id), ("arm", point.arm), ("status", point.status.rawValue),
      ("error", point.error ?? ""),
    ] + axisNames.map { ($0, point.values[$0] ?? "") }
  }

  /// Whether the tables of final results count this iteration.
  private func isFinal(_ iteration: RunResult.Iteration, of point: Comparison.Point) -> Bool {
    point.isComplete && iteration.number == point.result.lastEvaluated?.number
  }

  private func figures(_ iteration: RunResult.Iteration) -> Row {
    guard let report = iteration.evaluation else { return [] }
    let matched = report.lengthMatched
    let values: [Double?] = [
      report.value, report.interval.lower, report.interval.upper, report.meanProbability,
      report.meanProbabilityInterval.lower, report.meanProbabilityInterval.upper, matched?.value,
      matched?.interval.lower, matched?.interval.upper, matched.map { Double($0.n) },
      Double(report.n), Double(report.pairs), report.tieRate, report.identicalRate,
      report.policy.meanTokens, report.base.meanTokens, report.policy.repetition,
      report.base.repetition, report.policy.ended, report.base.ended, report.policy.empty,
      report.base.empty,
    ]
    return [("iteration", "\(iteration.number)")]
      + zip(Self.figureColumns.dropFirst(), values).map { ($0, Self.number($1)) }
      + Self.stages.map {
        ("seconds/" + $0, Self.number(iteration.stages[$0]?.figures["seconds"]))
      }
  }

  /// Win rates by other rankers: "check/length", with the ends of its interval.
  private var checkColumns: [String] {
    let rankers = comparison.points.flatMap(\.result.iterations).flatMap(\.checks).map(\.ranker)
    return Set(rankers).sorted().flatMap { ranker in
      ["", "_lower", "_upper"].map { "check/" + ranker + $0 }
    }
  }

  private func checks(_ iteration: RunResult.Iteration) -> Row {
    iteration.checks.flatMap { check in
      [
        ("check/" + check.ranker, Self.number(check.report.value)),
        ("check/" + check.ranker + "_lower", Self.number(check.report.interval.lower)),
        ("check/" + check.ranker + "_upper", Self.number(check.report.interval.upper)),
      ]
    }
  }

  /// Of the last quarter of the log, as in the table of the page.
  private func training(_ iteration: RunResult.Iteration, _ names: [String]) -> Row {
    let means = Analysis.end(of: [iteration.log])
    return names.map { ("train/" + $0, Self.number(means[$0])) }
  }

  /// The shortest text that reads back as the same number; counts without a fraction.
  private static func number(_ value: Double?) -> String {
    guard let value else { return "" }
    if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return "\(whole)" }
    return "\(value)"
  }

  /// Source: RFC 4180.
  static func quoted(_ cell: String) -> String {
    guard cell.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else {
      return cell
    }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
