/// Two figures of each arm against one another, with both intervals and each replicate.
struct ScatterChart {
  struct Spot {
    var name: String
    var style: Int
    var x: Double
    var y: Double
    var horizontal: (lower: Double, upper: Double)?
    var vertical: (lower: Double, upper: Double)?
    var replicates: [(x: Double, y: Double)] = []
  }

  var title: String
  var horizontal: String
  var spots: [Spot]
  /// A dashed line upwards, and its name.
  var mark: (x: Double, name: String)?
  /// A dashed line across.
  var level: Double

  func markup() -> String {
    let (top, bottom, left, right) = (24.0, 210.0, 46.0, 350.0)
    var xs = mark.map { [$0.x] } ?? []
    var ys = [level]
    for spot in spots {
      xs += [spot.x] + spot.replicates.map(\.x)
      ys += [spot.y] + spot.replicates.map(\.y)
      if let bar = spot.horizontal { xs += [bar.lower, bar.upper] }
      if let bar = spot.vertical { ys += [bar.lower, bar.upper] }
    }
    let across = ChartScale(xs, start: left, end: right)
    var upwards = ChartScale(ys, start: bottom, end: top)
    upwards.fitShares()
    var svg = SVG(height: 248)
    svg.text(title, 0, 12, class: "title")
    for tick in upwards.ticks(5) {
      let y = upwards.place(tick.value)
      svg.line(left, y, right, y, class: "grid")
      svg.text(
        Figure.decimals(100 * tick.value, 0) + "\u{A0}%", left - 4, y + 4, anchor: .end)
    }
    for tick in across.ticks(6) {
      svg.text(tick.label, across.place(tick.value), bottom + 15, anchor: .middle)
    }
    svg.text(horizontal, (left + right) / 2, bottom + 32, anchor: .middle, class: "axis")
    svg.line(left, upwards.place(level), right, upwards.place(level), class: "level")
    if let mark {
      svg.line(across.place(mark.x), top, across.place(mark.x), bottom, class: "level")
    }
    for spot in spots { draw(spot, on: &svg, across, upwards) }
    if let mark {
      let x = across.place(mark.x)
      // Towards the middle, where there is room.
      let isLeft = x < (left + right) / 2
      svg.text(
        mark.name, x + (isLeft ? 4 : -4), top + 9, anchor: isLeft ? .start : .end, class: "axis")
    }
    return svg.markup(
      label: "\(title): "
        + spots.map { "\($0.name) at \(Figure.short($0.x))" }
        .joined(separator: ", "))
  }

  private func draw(
    _ spot: Spot, on svg: inout SVG, _ across: ChartScale, _ upwards: ChartScale
  ) {
    let (x, y) = (across.place(spot.x), upwards.place(spot.y))
    if let bar = spot.horizontal {
      svg.line(
        across.place(bar.lower), y, across.place(bar.upper), y,
        class: SeriesStyle.classes("faint", spot.style))
    }
    if let bar = spot.vertical {
      svg.line(
        x, upwards.place(bar.lower), x, upwards.place(bar.upper),
        class: SeriesStyle.classes("faint", spot.style))
    }
    for one in spot.replicates {
      svg.mark(
        across.place(one.x), upwards.place(one.y), size: 2, shape: SeriesStyle.shape(spot.style),
        class: SeriesStyle.classes("small", spot.style))
    }
    svg.mark(
      x, y, size: 5, shape: SeriesStyle.shape(spot.style),
      class: SeriesStyle.classes("dot", spot.style),
      hint: "\(spot.name): \(Figure.short(spot.x)), \(Figure.percent(spot.y))")
  }
}
