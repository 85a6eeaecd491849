import SparPipeline

/// The report as Markdown with tables, as GitHub shows it.
struct MarkdownReport {
  let comparison: Comparison
  let analysis: Analysis
  /// Held-out prompts whose answers are shown.
  let examples: Int

  var text: String {
    let words = ReportWords(comparison: comparison, analysis: analysis)
    let tables = ResultTables(comparison: comparison, analysis: analysis)
    var parts = [
      "# \(Self.plain(comparison.title))", Self.plain(words.summary.joined(separator: " ")),
    ]
    parts += Self.section("What is missing", Self.list(words.missing))
    parts += Self.section("Results", Self.table(tables.results))
    if let baseline = analysis.baseline, !tables.differences.rows.isEmpty {
      parts += Self.section(
        "Differences from \(analysis.arms[baseline].label)", Self.table(tables.differences))
    }
    if !analysis.arms.isEmpty { parts.append(Self.plain(words.method)) }
    for (title, table, text) in [
      ("Other judges", tables.judges, words.judges),
      ("The ranker", tables.rankerAccuracy, words.rankerAccuracy),
      ("Can its probabilities be believed?", tables.calibration, words.calibration),
      ("Right where it is sure", tables.calibrationBins, ""),
    ] where !table.rows.isEmpty {
      parts += Self.section(title, Self.table(table)) + (text.isEmpty ? [] : [Self.plain(text)])
    }
    parts += Self.section("What the axes do", Self.table(tables.effects))
    if !words.effects.isEmpty { parts.append(Self.plain(words.effects)) }
    let rankings = RankingTables(comparison: comparison)
    parts += Self.section("What the rankers are like", Self.table(rankings.diagnostics))
    parts += Self.section("The strongest circles", Self.list(rankings.circles))
    parts += Self.section("Rankers against one another", Self.table(rankings.agreements))
    parts += Self.section("Training at the end", Self.table(tables.training))
    parts += Self.section("Each run", runs)
    parts += Self.section("Answers before and after", answers)
    parts += Self.section(
      "Doubts", Self.list(words.doubts.map { "\(ReportWords.about($0.runs)): \($0.text)" }))
    parts += Self.section("How it was made", provenance)
    return parts.joined(separator: "\n\n") + "\n"
  }

  private var runs: String {
    comparison.points.compactMap { point -> String? in
      guard let report = point.result.summary else { return nil }
      let name = point.id == point.arm ? point.id : "\(point.id): \(point.arm)"
      return "**\(Self.plain(name))**\n\n"
        + Self.table(.init(head: RunReport.head, rows: report.rows))
    }.joined(separator: "\n\n")
  }

  private var answers: String {
    guard let first = comparison.points.first(where: { !$0.result.base.isEmpty }) else { return "" }
    return first.result.base.prefix(examples).map { base in
      var lines = ["**Prompt.** " + Self.plain(base.messages.map(\.content).joined(separator: " "))]
      lines += ["Before:", Self.quote(base.answers.first ?? "")]
      for arm in comparison.arms {
        let points = comparison.complete(arm) + comparison.points(of: arm)
        guard
          let iteration = points.lazy.compactMap({ point in
            point.result.iterations.last { !$0.heldout.isEmpty }
          }).first,
          let answered = iteration.heldout.first(where: {
            $0.id == base.id && $0.messages == base.messages
          })
        else { continue }
        lines.append("After, \(Self.plain(arm.label)), iteration \(iteration.number):")
        lines.append(Self.quote(answered.answers.first ?? ""))
      }
      return lines.joined(separator: "\n\n")
    }.joined(separator: "\n\n")
  }

  private var provenance: String {
    let facts = Provenance(comparison: comparison)
    var parts: [String] = []
    if !facts.commands.isEmpty {
      parts.append(
        "```sh\n" + facts.commands.map(\.line).joined(separator: "\n") + "\n```")
    }
    let tables: [([String], [[String]])] = [
      (["stage", "computed", "reused", "time", "time saved"], facts.sharing),
      (
        ["setting"] + facts.settingPoints,
        facts.settings.filter { !$0.isShared }.map { [$0.name] + $0.values.map { $0 ?? "–" } }
      ),
      (["model", "file", "digest", "points"], facts.models),
      (["plugin", "name", "version", "SHA-256", "points"], facts.plugins),
      (
        ["spar", "processor", "cores", "SIMD", "memory", "system", "threads", "points"],
        facts.machines
      ),
    ]
    parts += tables.map { Self.table(.init(head: $0.0, rows: $0.1)) }.filter { !$0.isEmpty }
    return parts.joined(separator: "\n\n")
  }

  private static func section(_ title: String, _ body: String) -> [String] {
    body.isEmpty ? [] : ["## \(plain(title))", body]
  }

  private static func list(_ items: [String]) -> String {
    items.map { "- " + plain($0) }.joined(separator: "\n")
  }

  private static func table(_ table: ResultTables.Table) -> String {
    guard !table.rows.isEmpty else { return "" }
    let rule = table.head.indices.map { $0 == 0 ? ":---" : "---:" }
    return ([table.head.map(plain), rule] + table.rows.map { $0.map(plain) })
      .map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
  }

  /// On one line, with what Markdown and HTML would read as their own taken literally.
  static func plain(_ text: String) -> String {
    var plain = ""
    for character in text {
      switch character {
      case "\n", "\r\n", "\r": plain += " "
      case "\\", "`", "*", "_", "|", "[", "]", "#": plain += "\\\(character)"
      case "<": plain += "&lt;"
      case ">": plain += "&gt;"
      case "&": plain += "&amp;"
      default: plain.append(character)
      }
    }
    return plain
  }

  /// Taken literally, line by line.
  private static func quote(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { "> " + plain(String($0)) }.joined(separator: "  \n")
  }
}
