import SparEvaluation

/// How often a ranker is right where it is how sure: on the diagonal its probabilities are what
/// they say, below it is surer than it should be.  More comparisons have larger marks.
/// Source: Guo et al. 2017, arXiv:1706.04599, figure 1.
struct ReliabilityChart {
  var title: String
  var style: Int
  var bins: [Calibration.Bin]

  func markup() -> String {
    let (top, bottom, left, right) = (24.0, 210.0, 46.0, 350.0)
    let across = ChartScale([0.5, 1], start: left, end: right, isPadded: false)
    // Both axes in the same unit; shares below one half need room where there are any.
    let least = bins.map(\.interval.lower).min() ?? 0.5
    let upwards = ChartScale([min(least, 0.5), 1], start: bottom, end: top, isPadded: false)
    var svg = SVG(height: 248)
    svg.text(title, 0, 12, class: "title")
    for tick in upwards.ticks(5) {
      let y = upwards.place(tick.value)
      svg.line(left, y, right, y, class: "grid")
      svg.text(Figure.decimals(100 * tick.value, 0) + "\u{A0}%", left - 4, y + 4, anchor: .end)
    }
    for tick in across.ticks(5) {
      svg.text(
        Figure.decimals(100 * tick.value, 0) + "\u{A0}%", min(across.place(tick.value), right - 10),
        bottom + 15, anchor: .middle)
    }
    svg.text(
      "how sure the ranker is; upwards: how often it is right", (left + right) / 2, bottom + 32,
      anchor: .middle, class: "axis")
    svg.line(
      across.place(0.5), upwards.place(0.5), across.place(1), upwards.place(1), class: "level")
    let most = bins.map(\.count).max() ?? 1
    for bin in bins {
      let (x, y) = (across.place(bin.confidence), upwards.place(bin.right))
      svg.line(
        x, upwards.place(bin.interval.lower), x, upwards.place(bin.interval.upper),
        class: SeriesStyle.classes("bar", style))
      svg.mark(
        x, y, size: 2.2 + 3.4 * (Double(bin.count) / Double(most)).squareRoot(),
        shape: SeriesStyle.shape(style),
        class: SeriesStyle.classes("dot", style), hint: Self.words(bin))
    }
    return svg.markup(label: "\(title): " + bins.map(Self.words).joined(separator: "; "))
  }

  /// "sure by 70–75 %, 20 comparisons: right in 60.0 % (38.7 – 78.1 %)"
  private static func words(_ bin: Calibration.Bin) -> String {
    "\(bin.name), \(bin.count) comparisons: right in \(Figure.percent(bin.right)) "
      + "(\(ReportWords.range(bin.interval)))"
  }
}
