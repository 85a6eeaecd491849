/// Estimates with their intervals below one another: a name above each, so that long names fit.
struct IntervalChart {
  struct Row {
    var name: String
    var style: Int
    var value: Double
    var lower: Double?
    var upper: Double?
    /// The figures in words, at the right end of the name's line.
    var note: String
    /// Single replicates.
    var dots: [Double] = []
  }

  var title: String
  var rows: [Row]
  /// Where there is no effect: a win rate of one half, a difference of zero.
  var neutral: Double
  /// Ticks as signed differences.
  var isSigned = false

  func markup() -> String {
    let (left, right, step, top) = (10.0, 350.0, 36.0, 22.0)
    let values = rows.flatMap { row in
      [row.value, row.lower ?? row.value, row.upper ?? row.value] + row.dots
    }
    var scale = ChartScale(values + [neutral], start: left, end: right)
    if !isSigned { scale.fitShares() }
    let bottom = top + step * Double(rows.count)
    var svg = SVG(height: bottom + 24)
    svg.text(title, 0, 12, class: "title")
    for tick in scale.ticks(6) {
      let x = scale.place(tick.value)
      svg.line(x, top, x, bottom, class: "grid")
      let label =
        isSigned
        ? Figure.signed(100 * tick.value, 0) : Figure.decimals(100 * tick.value, 0) + "\u{A0}%"
      svg.text(label, min(max(x, 16), right - 14), bottom + 15, anchor: .middle)
    }
    svg.line(scale.place(neutral), top, scale.place(neutral), bottom, class: "level")
    for (number, row) in rows.enumerated() {
      let y = top + step * Double(number) + 27
      let room = Int((right - SVG.width(of: row.note) - 20) / 6.4)
      svg.text(Self.short(row.name, room), 0, y - 11, class: "name")
      svg.text(row.note, right + 8, y - 11, anchor: .end, class: "name")
      if let lower = row.lower, let upper = row.upper {
        svg.line(
          scale.place(lower), y, scale.place(upper), y,
          class: SeriesStyle.classes("bar", row.style))
      }
      for dot in row.dots {
        svg.line(
          scale.place(dot), y - 4, scale.place(dot), y + 4,
          class: SeriesStyle.classes("tick", row.style))
      }
      svg.mark(
        scale.place(row.value), y, size: 4.4, shape: SeriesStyle.shape(row.style),
        class: SeriesStyle.classes("dot", row.style), hint: "\(row.name): \(row.note)")
    }
    return svg.markup(
      label: "\(title): " + rows.map { "\($0.name) \($0.note)" }.joined(separator: "; "))
  }

  /// The middle of a long name says least.
  static func short(_ name: String, _ count: Int) -> String {
    guard name.count > count, count > 4 else { return name }
    let head = (count - 1) / 2
    return name.prefix(head) + "…" + name.suffix(count - 1 - head)
  }
}
