/// The report as one page that needs nothing else: markup, style and drawings in one text.
struct HTMLReport {
  let comparison: Comparison
  let analysis: Analysis
  /// Held-out prompts whose answers are shown.
  let examples: Int

  var words: ReportWords { ReportWords(comparison: comparison, analysis: analysis) }
  var tables: ResultTables { ResultTables(comparison: comparison, analysis: analysis) }

  private var sections: [(id: String, title: String, body: String)] {
    [
      ("missing", "What is missing", HTML.list(words.missing.map(HTML.escape))),
      ("results", "Results", results),
      ("judges", "Other judges", Self.section(tables.judges, words.judges)),
      ("ranker", "The ranker", ranker),
      ("length", "Length beside win rate", length),
      ("axes", "What the axes do", axes),
      ("iterations", "Win rate over iterations", iterations),
      ("rankings", "What the rankers are like", rankings),
      ("training", "Training", training),
      ("answers", "Answers before and after", answers),
      ("doubts", "Doubts", doubts),
      ("runs", "Each run", runs),
      ("provenance", "How it was made", provenance),
    ].filter { !$0.2.isEmpty }
  }

  var text: String {
    let parts = sections
    let links = parts.map { "<a href=\"#\($0.id)\">\(HTML.escape($0.title))</a>" }
    let summary = words.summary.map(HTML.escape).joined(separator: " ")
    let title = HTML.escape(comparison.title)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>
      \(StyleSheet.text)
      \(StyleSheet.arms(comparison.arms.count))
      </style>
      </head>
      <body>
      <header>
      <h1>\(title)</h1>
      <p class="lead">\(summary)</p>
      <nav>\(links.joined(separator: " "))</nav>
      </header>
      <main>
      \(parts.map { HTML.section($0.id, $0.title, $0.body) }.joined())</main>
      </body>
      </html>

      """
  }

  static func figure(_ markup: String) -> String { "<figure>\(markup)</figure>" }

  static func grid(_ charts: [String]) -> String {
    charts.isEmpty
      ? "" : "<div class=\"grid\">\n\(charts.map(figure).joined(separator: "\n"))\n</div>\n"
  }

  static func note(_ text: String) -> String {
    text.isEmpty ? "" : "<p class=\"note\">\(HTML.escape(text))</p>\n"
  }

  /// Nothing where the table has no rows.
  private static func section(_ rows: ResultTables.Table, _ text: String) -> String {
    rows.rows.isEmpty ? "" : table(rows) + note(text)
  }

  /// An interval in parentheses goes below its figure: columns are dear on a phone.
  static func table(_ table: ResultTables.Table) -> String {
    HTML.table(
      table.head.map(HTML.escape),
      table.rows.map { row in
        row.map { cell in
          guard cell.hasSuffix(")"), let parts = cell.firstRange(of: " (") else {
            return HTML.escape(cell)
          }
          let below = cell[parts.upperBound...].dropLast()
          return HTML.escape(String(cell[..<parts.lowerBound]))
            + "<small>\(HTML.escape(String(below)))</small>"
        }
      })
  }

  /// The place of an arm in the comparison, which decides its colour.
  func style(_ arm: ArmSummary) -> Int {
    comparison.arms.firstIndex { $0.name == arm.name } ?? 0
  }

  var legend: String {
    SeriesStyle.legend(comparison.arms.enumerated().map { ($0.offset, $0.element.label) })
  }
}
