import Foundation

extension WinRateReport {
  /// The report as lines for a terminal or a log.
  public var lines: [String] {
    var lines = [
      "win rate \(Self.percent(value, interval)) on \(n) prompts, \(pairs) pairs",
      "mean P   \(Self.percent(meanProbability, meanProbabilityInterval))",
    ]
    if let lengthMatched {
      lines.append(
        "of similar length \(Self.percent(lengthMatched.value, lengthMatched.interval)) on "
          + "\(lengthMatched.n) prompts, \(lengthMatched.pairs) pairs")
    }
    lines.append(
      Self.table(
        ["", "base", "policy"],
        rows: [
          ["mean tokens", decimal(base.meanTokens), decimal(policy.meanTokens)],
          ["repetition", Self.percent(base.repetition), Self.percent(policy.repetition)],
          ["ended", Self.percent(base.ended), Self.percent(policy.ended)],
          ["empty", Self.percent(base.empty), Self.percent(policy.empty)],
        ]
      ).joined(separator: "\n"))
    lines.append("ranker \(ranker), probability rule \(probabilityRule.rawValue)")
    return lines.flatMap { $0.split(separator: "\n").map(String.init) }
      + warnings.map { "warning: \($0)" }
  }

  /// A before/after table: one row for each report, such as the iterations of a run against the
  /// same base.
  public static func table(_ reports: [(name: String, report: WinRateReport)]) -> [String] {
    table(
      [
        "", "win rate", "95 % interval", "mean P", "similar length", "tokens", "repetition",
        "ended",
      ],
      rows: reports.map { name, report in
        [
          name, percent(report.value),
          "\(percent(report.interval.lower)) – \(percent(report.interval.upper))",
          percent(report.meanProbability),
          report.lengthMatched.map { percent($0.value) } ?? "–",
          report.decimal(report.policy.meanTokens), percent(report.policy.repetition),
          percent(report.policy.ended),
        ]
      })
  }

  static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  static func percent(_ share: Double, _ interval: ConfidenceInterval) -> String {
    "\(percent(share)) (\(String(format: "%.0f", 100 * interval.level)) % interval "
      + "\(percent(interval.lower)) – \(percent(interval.upper)))"
  }

  private func decimal(_ value: Double) -> String { String(format: "%.1f", value) }

  /// Columns side by side: the first to the left, figures to the right.
  private static func table(_ head: [String], rows: [[String]]) -> [String] {
    let all = [head] + rows
    let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      row.enumerated().map { column, cell in
        let gap = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + gap : gap + cell
      }.joined(separator: "  ")
    }
  }
}
