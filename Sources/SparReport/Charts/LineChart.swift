/// Curves over steps: one thin line for each replicate, a thick one for their mean.
struct LineChart {
  typealias Point = (x: Double, y: Double)

  struct Series {
    var name: String
    /// Which colour and mark.
    var style: Int
    var thin: [[Point]] = []
    var thick: [Point] = []
    /// Error bars.
    var bars: [(x: Double, lower: Double, upper: Double)] = []
    /// Marks on the thick line, with what a pointer over them is told.
    var marks: [(x: Double, y: Double, hint: String)] = []
  }

  var title: String
  var horizontal: String
  var series: [Series]
  /// Horizontal places of dashed lines: where one iteration ends.
  var dividers: [Double] = []
  /// A dashed line across, such as a win rate of one half.
  var level: Double?
  var isPercent = false
  /// Ticks at whole numbers alone.
  var isCounting = false

  /// Series that differ by more than this factor are drawn on a logarithmic axis.
  private static let greatestRatio = 30.0

  private var heights: [Double] {
    var values = level.map { [$0] } ?? []
    for series in series {
      values += series.thin.joined().map(\.y)
      values += series.thick.map(\.y)
      for bar in series.bars { values += [bar.lower, bar.upper] }
    }
    return values.filter(\.isFinite)
  }

  var isEmpty: Bool { series.isEmpty || heights.isEmpty }

  private var isLogarithmic: Bool {
    guard !isPercent, let least = heights.min(), least > 0 else { return false }
    let typical = series.compactMap { series -> Double? in
      let values = series.thick.map(\.y).filter(\.isFinite).sorted()
      return values.isEmpty ? nil : values[values.count / 2]
    }
    guard let low = typical.min(), let high = typical.max() else { return false }
    return high / low > Self.greatestRatio
  }

  func markup() -> String {
    let (top, bottom, right) = (24.0, 190.0, 350.0)
    var vertical = ChartScale(heights, start: bottom, end: top, isLogarithmic: isLogarithmic)
    if isPercent { vertical.fitShares() }
    let ticks = vertical.ticks(5).map { tick in
      isPercent ? .init(value: tick.value, label: percent(tick.value)) : tick
    }
    let left = 8 + (ticks.map { SVG.width(of: $0.label) }.max() ?? 0)
    var places: [Double] = []
    for series in series {
      places += series.thin.joined().map(\.x)
      places += series.thick.map(\.x)
    }
    let across = ChartScale(
      places, start: left + 8, end: right - (isCounting ? 14 : 4), isPadded: false)

    var svg = SVG(height: 228)
    svg.text(title + (isLogarithmic ? " (logarithmic)" : ""), 0, 12, class: "title")
    for tick in ticks {
      let y = vertical.place(tick.value)
      svg.line(left, y, right, y, class: "grid")
      svg.text(tick.label, left - 4, y + 4, anchor: .end)
    }
    for divider in dividers {
      svg.line(across.place(divider), top, across.place(divider), bottom, class: "divider")
    }
    if let level {
      svg.line(left, vertical.place(level), right, vertical.place(level), class: "level")
    }
    for tick in across.ticks(6) where !isCounting || tick.value == tick.value.rounded() {
      let label = isCounting ? Figure.decimals(tick.value, 0) : tick.label
      svg.text(label, across.place(tick.value), bottom + 15, anchor: .middle)
    }
    svg.text(horizontal, (left + right) / 2, bottom + 32, anchor: .middle, class: "axis")
    draw(on: &svg, across, vertical)
    return svg.markup(
      label: "\(title) over \(horizontal): " + series.map(\.name).joined(separator: ", "))
  }

  private func draw(on svg: inout SVG, _ across: ChartScale, _ vertical: ChartScale) {
    func place(_ points: [Point]) -> [Point] {
      points.filter { $0.y.isFinite }.map { (across.place($0.x), vertical.place($0.y)) }
    }
    for series in series {
      for line in series.thin {
        svg.path(place(line), class: SeriesStyle.classes("thin", series.style))
      }
    }
    for (number, series) in series.enumerated() {
      // Bars side by side rather than on one another.
      let middle = Double(self.series.count - 1) / 2
      let dodge =
        series.bars.isEmpty ? 0 : (Double(number) - middle) * min(5, 13 / max(middle, 1))
      for bar in series.bars {
        let x = across.place(bar.x) + dodge
        svg.line(
          x, vertical.place(bar.lower), x, vertical.place(bar.upper),
          class: SeriesStyle.classes("bar", series.style))
      }
      svg.path(
        place(series.thick).map { ($0.x + dodge, $0.y) },
        class: SeriesStyle.classes("mean", series.style))
      for mark in series.marks {
        svg.mark(
          across.place(mark.x) + dodge, vertical.place(mark.y), size: 3.6,
          shape: SeriesStyle.shape(series.style),
          class: SeriesStyle.classes("dot", series.style), hint: mark.hint)
      }
    }
  }

  private func percent(_ share: Double) -> String {
    let hundredths = (1e4 * share).rounded() / 100
    return Figure.decimals(hundredths, hundredths == hundredths.rounded() ? 0 : 1) + "\u{A0}%"
  }
}

extension ChartScale {
  /// Shares do not lie outside 0…1, and neither does their axis.
  mutating func fitShares() {
    if !isLogarithmic, lower < 0 { lower = 0 }
    if !isLogarithmic, upper > 1 { upper = 1 }
  }
}
