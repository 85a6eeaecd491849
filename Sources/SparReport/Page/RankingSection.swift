// What the rankers are like, before one believes their win rates.
extension HTMLReport {
  var rankings: String {
    let tables = RankingTables(comparison: comparison)
    let groups = tables.groups
    guard !groups.isEmpty else { return "" }
    let charts = RankingTables.measures.map { measure in
      LineChart(
        title: measure.name, horizontal: "iteration",
        series: groups.compactMap { group in
          let line = group.iterations.compactMap { number, ranking in
            measure.value(ranking.diagnostics.table).map { (x: Double(number), y: $0) }
          }
          guard !line.isEmpty else { return nil }
          return LineChart.Series(
            name: group.name, style: group.style, thick: line,
            marks: line.map { x, y in
              (x, y, "\(group.name), iteration \(Int(x)): \(Figure.percent(y))")
            })
        }, level: measure.level, isPercent: true, isCounting: true)
    }.filter { !$0.isEmpty }
    var body = SeriesStyle.legend(groups.map { (series: $0.style, name: $0.name) })
    body += Self.grid(charts.map { $0.markup() })
    body += Self.table(tables.diagnostics)
    body += Self.note(
      "Circle: three answers that beat one another in turn. Copeland: answers beaten; Borda: mean "
        + "probability; Nash: weight in the mixture that no answer beats. Loses to strongest: what "
        + "an opponent that knows the chosen answer gains. Change with order: pairs in which the "
        + "place decides; not shown for rankers without an order. Longer wins: of pairs of "
        + "different length; refusals by usual phrases, a rough rate.")
    let circles = tables.circles
    if !circles.isEmpty {
      body += HTML.details("The strongest circles", HTML.list(circles.map(HTML.escape)))
    }
    let agreements = tables.agreements
    if !agreements.rows.isEmpty {
      body +=
        "<h3>Rankers against one another</h3>\n" + Self.table(agreements)
        + Self.note("Pairs without a tie on either side; chance is one half.")
    }
    return body
  }
}
