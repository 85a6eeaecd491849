import Foundation
import SparEvaluation

// The report for people: on the terminal and in report.md.
extension RunReport {
  public static let head = [
    "iteration", "pairs", "loss", "win rate", "95 % interval", "length", "generate", "rank",
    "train", "time",
  ]

  public var rows: [[String]] {
    iterations.map { row in
      [
        "\(row.iteration)", "\(row.pairs)", Self.loss(row.firstLoss, row.lastLoss),
        Self.percent(row.winRate),
        "\(Self.percent(row.interval.lower)) – \(Self.percent(row.interval.upper))",
        String(format: "%.1f", row.meanLength), Self.rate(row.generateTokensPerSecond),
        Self.rate(row.rankTokensPerSecond), Self.rate(row.trainTokensPerSecond),
        Self.duration(row.seconds),
      ]
    }
  }

  public static let note = """
    win rate: held-out answers preferred to the base model's by the ranker; length: tokens of a \
    held-out answer; generate, rank, train: tokens/s
    """

  /// As printed at the end of a run.
  public var text: String {
    var lines = Self.aligned([Self.head] + rows)
    lines += ["", Self.note + String(format: " (base model: length %.1f)", baseLength)]
    lines += checkLines + judgeLines
    if let ranker = rankerLines { lines += [""] + ranker }
    for (number, example) in examples.enumerated() {
      lines += ["", "held-out prompt \(number + 1): \(example.prompt)"]
      lines += ["  before: " + Self.indented(example.before)]
      lines += ["  after:  " + Self.indented(example.after)]
    }
    let doubts = warningLines
    if !doubts.isEmpty { lines += [""] + doubts }
    return lines.joined(separator: "\n")
  }

  /// The figures behind the question whether the ranker is being gamed, in words.
  static func checks(_ evaluation: WinRateReport) -> String {
    let (base, policy) = (evaluation.base, evaluation.policy)
    var parts: [String] = []
    if let matched = evaluation.lengthMatched {
      parts.append(
        "among answers of similar length it wins \(percent(matched.value)) "
          + "(\(percent(matched.interval.lower)) – \(percent(matched.interval.upper)))")
    }
    parts.append("answers that end \(percent(base.ended)) → \(percent(policy.ended))")
    parts.append("repeated 4-grams \(percent(base.repetition)) → \(percent(policy.repetition))")
    return parts.joined(separator: "; ")
  }

  private var checkLines: [String] {
    iterations.map { "iteration \($0.iteration) against the base model: \($0.checks)" }
  }

  /// The same answers, iteration by iteration, by the run's ranker and by others.
  private var judgeLines: [String] {
    iterations.compactMap { row in
      guard let judges = row.judges else { return nil }
      let own = (Self.name(ofRanker: ranker), row.winRate, row.interval)
      return "iteration \(row.iteration), win rate "
        + ([own] + judges.map { ($0.ranker, $0.winRate, $0.interval) }).map {
          "by \($0) \(Self.percent($1)) (\(Self.percent($2.lower)) – \(Self.percent($2.upper)))"
        }.joined(separator: ", ")
    }
  }

  /// "gpm" of "gpm 0.1.0 (model=…)".
  public static func name(ofRanker identity: String) -> String {
    identity.split(separator: " ").first.map(String.init) ?? identity
  }

  /// What the run's own ranker gets right, and what length alone would have.
  private var rankerLines: [String]? {
    guard let found = rankerAccuracy else { return nil }
    return found.lines
      + (rankerSeconds.map { ["made and measured in \(Self.duration($0))"] } ?? [])
  }

  private var warningLines: [String] {
    iterations.flatMap { row in row.warnings.map { "warning, iteration \(row.iteration): \($0)" } }
  }

  /// report.md
  public var markdown: String {
    var lines = [
      "# Self-play run", "", "Objective `\(objective)`, ranker `\(ranker)`.", "",
      "| " + Self.head.joined(separator: " | ") + " |",
      "|" + String(repeating: " ---: |", count: Self.head.count),
    ]
    lines += rows.map { "| " + $0.joined(separator: " | ") + " |" }
    lines += ["", Self.note + String(format: " (base model: length %.1f).", baseLength)]
    lines += [""] + (checkLines + judgeLines).map { "- " + $0 }
    if let ranker = rankerLines {
      lines += ["", "## The ranker", ""] + ranker.map { "- " + $0 }
      lines += (rankerAccuracy?.calibration?.binRows ?? []).map {
        "  - " + $0.joined(separator: ": ")
      }
    }
    for row in iterations {
      guard let ranking = row.ranking else { continue }
      lines += ["", "## The ranking of iteration \(row.iteration)", ""]
      // Circles are given with two spaces before them.
      lines += ranking.lines.map { $0.hasPrefix("  ") ? "  - " + $0.dropFirst(2) : "- " + $0 }
    }
    if !warningLines.isEmpty {
      lines += ["", "## Doubts", ""] + warningLines.map { "- " + $0 }
    }
    if !examples.isEmpty { lines += ["", "## Held-out answers before and after"] }
    for example in examples {
      lines += [
        "", "**Prompt.** \(example.prompt)", "", "Before:", "", Self.quoted(example.before), "",
        "After:", "", Self.quoted(example.after),
      ]
    }
    lines += ["", "The last policy is `\(iterations.last?.checkpoint ?? "")`."]
    return lines.joined(separator: "\n") + "\n"
  }

  static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  private static func rate(_ value: Double?) -> String {
    value.map { String(format: "%.0f", $0) } ?? "–"
  }

  private static func loss(_ first: Double?, _ last: Double?) -> String {
    guard let first, let last else { return "–" }
    return String(format: "%.5g → %.5g", first, last)
  }

  /// "4:07", "1:02:30".
  public static func duration(_ seconds: Double) -> String {
    let total = Int(seconds.rounded())
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    return hours > 0
      ? String(format: "%d:%02d:%02d", hours, minutes, rest)
      : String(format: "%d:%02d", minutes, rest)
  }

  private static func indented(_ text: String) -> String {
    text.replacing("\n", with: "\n          ")
  }

  private static func quoted(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "> \($0)" }
      .joined(separator: "\n")
  }

  /// Columns side by side, figures to the right.
  static func aligned(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      zip(row, widths).map { cell, width in
        String(repeating: " ", count: width - cell.count) + cell
      }.joined(separator: "  ")
    }
  }
}
