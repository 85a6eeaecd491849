import SparEvaluation
import SparPipeline

// What happened on the way: win rates by iteration, training logs, each run's own table.
extension HTMLReport {
  /// The mean over runs of each iteration; with one run its evaluation's interval.
  private var winCurves: [LineChart.Series] {
    comparison.arms.enumerated().compactMap { number, arm in
      let lines = comparison.points(of: arm).map { point in
        point.result.iterations.compactMap { iteration in
          iteration.evaluation.map { (number: Double(iteration.number), report: $0) }
        }
      }.filter { !$0.isEmpty }
      guard !lines.isEmpty else { return nil }
      let wins = lines.map { line in line.map { (x: $0.number, y: $0.report.value) } }
      let mean = TrainingCurves.mean(wins)
      var series = LineChart.Series(
        name: arm.label, style: number, thin: lines.count > 1 ? wins : [], thick: mean)
      series.bars = mean.compactMap { x, _ in
        Self.interval(of: comparison.points(of: arm), iteration: Int(x)).map {
          (x, $0.lower, $0.upper)
        }
      }
      series.marks = mean.map { x, y in
        (x, y, "\(arm.label), iteration \(Int(x)): \(Figure.percent(y))")
      }
      return series
    }
  }

  private static func interval(
    of points: [Comparison.Point], iteration: Int
  ) -> ConfidenceInterval? {
    let reports = points.compactMap { point in
      point.result.iterations.first { $0.number == iteration }?.evaluation.map {
        (point.replicate, $0)
      }
    }
    guard let first = reports.first else { return nil }
    let table = PromptTable(
      reports.map { name, report in (name, report.prompts.map { ($0.prompt, $0.win) }) })
    return Estimate(table, first.1.bootstrap)?.interval
  }

  var iterations: String {
    let curves = winCurves
    guard !curves.isEmpty else { return "" }
    let chart = LineChart(
      title: "Win rate against the base model", horizontal: "iteration", series: curves,
      level: 0.5, isPercent: true, isCounting: true)
    return legend + Self.grid([chart.markup()])
      + Self.note(
        curves.contains { !$0.thin.isEmpty }
          ? "Thick: mean over runs, with its 95 % interval; thin: single runs."
          : "Bars are 95 % intervals.")
  }

  var training: String {
    let curves = TrainingCurves(comparison)
    let names = curves.names
    guard !names.isEmpty else { return "" }
    let (main, other) = (
      names.filter(TrainingCurves.first.contains),
      names.filter { !TrainingCurves.first.contains($0) }
    )
    func charts(_ names: [String]) -> String {
      Self.grid(names.map(curves.chart).filter { !$0.isEmpty }.map { $0.markup() })
    }
    return legend + charts(main)
      + Self.note(
        "Thick: mean over runs, smoothed over a twentieth of the steps; thin: single runs; dotted "
          + "lines upwards: the next iteration begins. Losses of different objectives, and rewards "
          + "of different β, are not of one scale.")
      + (other.isEmpty ? "" : HTML.details("\(other.count) more metrics", charts(other)))
  }

  /// What the evaluations of single runs doubt.
  var doubts: String {
    HTML.list(
      words.doubts.map { text, runs in
        "<strong>\(HTML.escape(ReportWords.about(runs)))</strong>: \(HTML.escape(text))"
      })
  }

  /// The table that the run itself ends with.
  var runs: String {
    let parts = comparison.points.compactMap { point -> String? in
      guard let report = point.result.summary else { return nil }
      let checks = report.iterations.map { row in
        HTML.escape("iteration \(row.iteration) against the base model: \(row.checks)")
      }
      let body =
        HTML.table(RunReport.head.map(HTML.escape), report.rows.map { $0.map(HTML.escape) })
        + HTML.list(checks)
      let name = point.id == point.arm ? point.id : "\(point.id): \(point.arm)"
      return HTML.details(name, body, open: comparison.points.count == 1)
    }
    let shared =
      comparison.sweep == nil
      ? "" : "; time counts stages that another point computed, too"
    return parts.isEmpty ? "" : parts.joined() + Self.note(RunReport.note + shared)
  }
}
