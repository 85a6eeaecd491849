import SparEvaluation

// The run's own ranker: how often it is right, and whether its probabilities can be believed.
extension HTMLReport {
  var ranker: String {
    let accuracy = tables.rankerAccuracy
    guard !accuracy.rows.isEmpty else { return "" }
    let body = Self.table(accuracy) + Self.note(words.rankerAccuracy)
    let found = tables.calibrated
    guard !found.isEmpty else { return body }
    let charts = found.enumerated().map { place, one in
      let name = IntervalChart.short(one.points.joined(separator: ", "), 40)
      return ReliabilityChart(
        title: found.count == 1 ? "Right where it is sure" : "Right where it is sure, \(name)",
        style: place, bins: one.calibration.bins
      ).markup()
    }
    return body + "<h3>Can its probabilities be believed?</h3>\n" + Self.grid(charts)
      + Self.table(tables.calibration) + Self.note(words.calibration)
      + HTML.details("The bins as a table", Self.table(tables.calibrationBins))
  }
}
