/// Means over the values of an axis, side by side; several series are joined by lines, whose
/// being parallel means that the axes do not interact.
struct CategoryChart {
  struct Series {
    var name: String
    var style: Int
    /// One for each category; nil where there is none.
    var values: [(value: Double, lower: Double, upper: Double)?]
  }

  var title: String
  var horizontal: String
  var categories: [String]
  var series: [Series]
  var level: Double

  func markup() -> String {
    let (top, bottom, left, right) = (24.0, 190.0, 46.0, 356.0)
    let heights = series.flatMap { series in
      series.values.compactMap { $0 }.flatMap { [$0.value, $0.lower, $0.upper] }
    }
    var upwards = ChartScale(heights + [level], start: bottom, end: top)
    upwards.fitShares()
    let step = (right - left) / Double(max(categories.count, 1))
    var svg = SVG(height: 228)
    svg.text(title, 0, 12, class: "title")
    for tick in upwards.ticks(5) {
      let y = upwards.place(tick.value)
      svg.line(left, y, right, y, class: "grid")
      svg.text(Figure.decimals(100 * tick.value, 0) + "\u{A0}%", left - 4, y + 4, anchor: .end)
    }
    svg.line(left, upwards.place(level), right, upwards.place(level), class: "level")
    for (number, category) in categories.enumerated() {
      svg.text(
        IntervalChart.short(category.isEmpty ? "(none)" : category, max(5, Int(step / 6.4))),
        left + step * (Double(number) + 0.5), bottom + 15, anchor: .middle)
    }
    svg.text(horizontal, (left + right) / 2, bottom + 32, anchor: .middle, class: "axis")
    for (number, series) in series.enumerated() {
      let shift = (Double(number) - Double(self.series.count - 1) / 2) * min(10, step / 8)
      draw(series, on: &svg, upwards) { left + step * (Double($0) + 0.5) + shift }
    }
    return svg.markup(
      label: "\(title) by \(horizontal): " + categories.joined(separator: ", "))
  }

  private func draw(
    _ series: Series, on svg: inout SVG, _ upwards: ChartScale, at place: (Int) -> Double
  ) {
    let known = series.values.enumerated().compactMap { number, value in
      value.map { (number: number, estimate: $0) }
    }
    if self.series.count > 1 {
      svg.path(
        known.map { (place($0.number), upwards.place($0.estimate.value)) },
        class: SeriesStyle.classes("mean", series.style))
    }
    for (number, estimate) in known {
      let x = place(number)
      svg.line(
        x, upwards.place(estimate.lower), x, upwards.place(estimate.upper),
        class: SeriesStyle.classes("bar", series.style))
      svg.mark(
        x, upwards.place(estimate.value), size: 4.4, shape: SeriesStyle.shape(series.style),
        class: SeriesStyle.classes("dot", series.style),
        hint: "\(series.name) \(categories[number]): \(Figure.percent(estimate.value)), "
          + "\(Figure.percent(estimate.lower)) – \(Figure.percent(estimate.upper))")
    }
  }
}
