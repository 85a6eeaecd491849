import SparEvaluation

// Final results: what won, by how much, and whether length did it.
extension HTMLReport {
  var results: String {
    guard !analysis.arms.isEmpty else { return "" }
    let wins = IntervalChart(
      title: "Win rate against the base model",
      rows: analysis.arms.map { arm in
        IntervalChart.Row(
          name: arm.label, style: style(arm), value: arm.winRate.value,
          lower: arm.winRate.interval?.lower, upper: arm.winRate.interval?.upper,
          note: Figure.percent(arm.winRate.value), dots: replicates(arm).map(\.win))
      }, neutral: 0.5)
    var charts = [wins.markup()]
    let compared = analysis.arms.compactMap { arm in arm.winDifference.map { (arm, $0) } }
    if let baseline = analysis.baseline, !compared.isEmpty {
      let name = IntervalChart.short(analysis.arms[baseline].label, 26)
      let differences = IntervalChart(
        title: "Points of win rate over \(name)",
        rows: compared.map { arm, difference in
          IntervalChart.Row(
            name: arm.label, style: style(arm), value: difference.value,
            lower: difference.interval.lower, upper: difference.interval.upper,
            note: "\(Figure.points(difference.value)), p \(Self.relation(difference.corrected))")
        }, neutral: 0, isSigned: true)
      charts.append(differences.markup())
    }
    let several = analysis.arms.contains { $0.winRate.replicates > 1 }
    var body = Self.grid(charts)
    body += Self.note(
      "Bars are 95 % intervals"
        + (several ? ", small strokes single runs" : "")
        + (compared.isEmpty ? "." : "; p after Holm's correction."))
    body += Self.table(tables.results)
    let differences = tables.differences
    if let baseline = analysis.baseline, !differences.rows.isEmpty {
      body += "<h3>Differences from \(HTML.escape(analysis.arms[baseline].label))</h3>\n"
      body += Self.table(differences)
    }
    body += Self.note(words.method)
    let training = tables.training
    if !training.rows.isEmpty {
      body += HTML.details(
        "Figures of training at the end",
        Self.table(training) + Self.note("Means over the last quarter of the last iteration's log.")
      )
    }
    return body
  }

  private static func relation(_ p: Double) -> String {
    let text = Figure.probability(p)
    return text.hasPrefix("<") ? text : "= " + text
  }

  /// The finished points of an arm by themselves.
  private func replicates(_ arm: ArmSummary) -> [(win: Double, tokens: Double)] {
    let points = comparison.points.filter { arm.points.contains($0.id) }
    guard points.count > 1 else { return [] }
    return points.compactMap { point in
      point.result.lastEvaluated?.evaluation.map { ($0.value, $0.policy.meanTokens) }
    }
  }

  var length: String {
    guard let first = analysis.arms.first else { return "" }
    func range(_ interval: ConfidenceInterval?) -> (lower: Double, upper: Double)? {
      interval.map { ($0.lower, $0.upper) }
    }
    let scatter = ScatterChart(
      title: "Win rate and length", horizontal: "tokens of a held-out answer",
      spots: analysis.arms.map { arm in
        .init(
          name: arm.label, style: style(arm), x: arm.tokens.value, y: arm.winRate.value,
          horizontal: range(arm.tokens.interval), vertical: range(arm.winRate.interval),
          replicates: replicates(arm).map { ($0.tokens, $0.win) })
      }, mark: (first.baseTokens, "base model"), level: 0.5)
    var charts = [scatter.markup()]
    let matched = analysis.arms.filter { $0.lengthMatched != nil }
    if !matched.isEmpty {
      charts.append(
        IntervalChart(
          title: "Win rate among answers of similar length",
          rows: matched.compactMap { arm in
            arm.lengthMatched.map { figure in
              IntervalChart.Row(
                name: arm.label, style: style(arm), value: figure.value,
                lower: figure.interval?.lower, upper: figure.interval?.upper,
                note: "\(Figure.percent(figure.value)), \(figure.prompts) prompts")
            }
          }, neutral: 0.5
        ).markup())
    }
    return legend + Self.grid(charts)
      + Self.note(
        "A win rate that rises with length alone may be the ranker's taste for long answers. "
          + "Lengths are similar when they differ by at most 15 % of the longer one.")
  }

  var axes: String {
    guard !analysis.effects.isEmpty else { return "" }
    let marginal = analysis.effects.map { effect in
      CategoryChart(
        title: "Win rate by \(effect.axis)", horizontal: effect.axis,
        categories: effect.values.map(\.value),
        series: [.init(name: "", style: 0, values: effect.values.map { Self.range($0.winRate) })],
        level: 0.5
      ).markup()
    }
    var body = Self.grid(marginal)
    body += Self.note(words.effects)
    for interaction in analysis.interactions {
      let chart = CategoryChart(
        title: "\(interaction.axis) for each \(interaction.by)", horizontal: interaction.axis,
        categories: interaction.values,
        series: interaction.byValues.enumerated().map { number, value in
          .init(
            name: value, style: number,
            values: interaction.means[number].map { $0.flatMap(Self.range) })
        }, level: 0.5)
      body += "<h3>\(HTML.escape(interaction.axis)) × \(HTML.escape(interaction.by))</h3>\n"
      body += SeriesStyle.legend(
        interaction.byValues.enumerated().map { ($0.offset, "\(interaction.by) = \($0.element)") })
      body += Self.grid([chart.markup()])
    }
    if !analysis.interactions.isEmpty {
      body += Self.note(
        "Parallel lines: the effect of one axis does not depend on the other. Crossing lines "
          + "whose intervals are apart: it does.")
    }
    return body + HTML.details("As a table", Self.table(tables.effects))
  }

  private static func range(
    _ estimate: Estimate
  ) -> (value: Double, lower: Double, upper: Double)? {
    (
      estimate.value, estimate.interval?.lower ?? estimate.value,
      estimate.interval?.upper ?? estimate.value
    )
  }
}
