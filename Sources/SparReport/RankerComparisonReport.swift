import SparStore

/// Accuracies of rankers on circles of preferences, as a drawing and as Markdown.
public struct RankerComparisonReport: Equatable, Sendable {
  public struct Series: Equatable, Sendable {
    public var name: String
    /// For each group, the accuracies of the seeds.
    public var accuracies: [[Double]]

    public init(name: String, accuracies: [[Double]]) {
      (self.name, self.accuracies) = (name, accuracies)
    }
  }

  public var title: String
  /// The groups' names, such as "circles of 3", and the most that a reward can be right in.
  public var groups: [(name: String, bound: Double)] {
    zip(groupNames, bounds).map { (name: $0, bound: $1) }
  }
  private var groupNames: [String]
  private var bounds: [Double]
  public var series: [Series]

  public init(title: String, groups: [(name: String, bound: Double)], series: [Series]) {
    precondition(
      series.allSatisfy { $0.accuracies.count == groups.count }, "accuracies for each group")
    self.title = title
    groupNames = groups.map(\.name)
    bounds = groups.map(\.bound)
    self.series = series
  }

  /// An SVG file of its own: one column of marks for each group, a mark for each ranker's mean, a
  /// bar from its worst to its best seed, a dashed line at the bound.
  public var drawing: String {
    let (left, right) = (46.0, 472.0)
    let top = 30 + 17 * Double(series.count + 1)
    let bottom = top + 180
    let values = series.flatMap { $0.accuracies.joined() } + bounds + [1]
    var upwards = ChartScale(values, start: bottom, end: top)
    upwards.fitShares()
    var svg = SVG(width: 480, height: bottom + 24)
    svg.text(title, 6, 16, class: "title")
    drawKey(on: &svg)
    for tick in upwards.ticks(5) {
      let y = upwards.place(tick.value)
      svg.line(left, y, right, y, class: "grid")
      svg.text(Figure.decimals(100 * tick.value, 0) + "\u{A0}%", left - 4, y + 4, anchor: .end)
    }
    let step = (right - left) / Double(max(groups.count, 1))
    for (place, group) in groups.enumerated() {
      let start = left + step * Double(place)
      let y = upwards.place(group.bound)
      svg.line(start + 8, y, start + step - 8, y, class: "level")
      svg.text(group.name, start + step / 2, bottom + 16, anchor: .middle)
      for (number, arm) in series.enumerated() where !arm.accuracies[place].isEmpty {
        let x = start + step * (Double(number) + 1) / Double(series.count + 1)
        draw(arm.accuracies[place], arm.name, style: number, at: x, upwards, on: &svg)
      }
    }
    return svg.document(label: "\(title)\n\(markdown)")
  }

  private func drawKey(on svg: inout SVG) {
    for (number, arm) in series.enumerated() {
      let y = 32 + 17 * Double(number)
      svg.mark(
        14, y, size: 4.4, shape: SeriesStyle.shape(number),
        class: SeriesStyle.classes("dot", number))
      svg.text(arm.name, 26, y + 4, class: "name")
    }
    let y = 32 + 17 * Double(series.count)
    svg.line(6, y, 22, y, class: "level")
    svg.text("the most that any reward can be right in", 26, y + 4)
  }

  private func draw(
    _ accuracies: [Double], _ name: String, style: Int, at x: Double, _ upwards: ChartScale,
    on svg: inout SVG
  ) {
    let mean = accuracies.reduce(0, +) / Double(accuracies.count)
    svg.line(
      x, upwards.place(accuracies.min() ?? mean), x, upwards.place(accuracies.max() ?? mean),
      class: SeriesStyle.classes("bar", style))
    for accuracy in accuracies {
      let y = upwards.place(accuracy)
      svg.line(x - 4, y, x + 4, y, class: SeriesStyle.classes("tick", style))
    }
    svg.mark(
      x, upwards.place(mean), size: 4.4, shape: SeriesStyle.shape(style),
      class: SeriesStyle.classes("dot", style), hint: "\(name): \(Figure.percent(mean))")
  }

  /// Names and figures, a row each.
  public var rows: [[String]] {
    let head = ["ranker"] + groupNames
    let bound = ["bound of any reward"] + bounds.map(Figure.percent)
    return [head, bound]
      + series.map { arm in [arm.name] + arm.accuracies.map(Self.cell) }
  }

  /// "80.0 % (73.3 – 80.0)" over seeds, or one figure where all agree.
  private static func cell(_ accuracies: [Double]) -> String {
    guard let least = accuracies.min(), let most = accuracies.max() else { return "–" }
    let mean = Figure.percent(accuracies.reduce(0, +) / Double(accuracies.count))
    return least == most
      ? mean : "\(mean) (\(Figure.decimals(100 * least, 1)) – \(Figure.decimals(100 * most, 1)))"
  }

  /// The table as GitHub shows it.
  public var markdown: String {
    let rows = rows.map { $0.map(MarkdownReport.plain) }
    let rule = (rows.first ?? []).indices.map { $0 == 0 ? ":---" : "---:" }
    return (rows.prefix(1) + [rule] + rows.dropFirst())
      .map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
  }

  /// Writes accuracy.svg and report.md into `folder`; returns their paths.
  public func write(to folder: String, facts: [String]) throws -> [String] {
    let seeds = series.flatMap { $0.accuracies.map(\.count) }.max() ?? 0
    let text =
      "# \(MarkdownReport.plain(title))\n\n![accuracies](accuracy.svg)\n\n\(markdown)\n\n"
      + "Share of the comparisons trained on that the ranker has right: mean over "
      + "\(seeds) seed\(seeds == 1 ? "" : "s"), worst and best where they differ.\n\n"
      + facts.map { "- \(MarkdownReport.plain($0))" }.joined(separator: "\n") + "\n"
    let files = [("accuracy.svg", drawing), ("report.md", text)]
    for (name, content) in files {
      try AtomicFile.writeBytes(to: "\(folder)/\(name)", doing: "writing the comparison") {
        try $0.write(content)
      }
    }
    return files.map { "\(folder)/\($0.0)" }
  }
}
