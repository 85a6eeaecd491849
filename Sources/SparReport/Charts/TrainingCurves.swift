import SparTraining

/// The training logs of the arms as charts, one for each metric.
struct TrainingCurves {
  /// What a reader looks at first; more, in alphabetical order, follow.
  static let first = [
    "loss", "rewards/margins", "rewards/accuracies", "spar/kl_ref", "grad_norm",
    "objective/normalised_loss",
  ]
  /// What every run has alike, or the clock decides.
  private static let left = ["epoch", "global_step", "num_tokens", "learning_rate"]
  /// More points than these are not seen apart.
  private static let mostPoints = 240

  private let comparison: Comparison

  init(_ comparison: Comparison) {
    self.comparison = comparison
  }

  /// Metrics of any log, the most telling first.
  var names: [String] {
    var found: Set<String> = []
    for point in comparison.points {
      for entry in point.result.iterations.flatMap(\.log) { found.formUnion(entry.values.keys) }
    }
    let shown = found.filter { !$0.hasPrefix("perf/") && !Self.left.contains($0) }
    return Self.first.filter(shown.contains)
      + shown.filter { !Self.first.contains($0) }.sorted()
  }

  func chart(_ name: String) -> LineChart {
    let series = comparison.arms.enumerated().compactMap { number, arm -> LineChart.Series? in
      let lines = comparison.points(of: arm).map { Self.line(name, $0.result) }
        .filter { !$0.isEmpty }
      guard !lines.isEmpty else { return nil }
      return LineChart.Series(
        name: arm.label, style: number, thin: lines.map(Self.thinned),
        thick: Self.thinned(Self.smooth(Self.mean(lines))))
    }
    return LineChart(title: name, horizontal: "step", series: series, dividers: dividers)
  }

  /// Over all iterations, one behind the other.
  private static func line(_ name: String, _ run: RunResult) -> [LineChart.Point] {
    var start = 0
    var line: [LineChart.Point] = []
    for iteration in run.iterations {
      for entry in iteration.log {
        guard let value = entry.values[name], value.isFinite else { continue }
        line.append((Double(start + entry.step), value))
      }
      start += iteration.log.last?.step ?? 0
    }
    return line
  }

  /// Where the longest run goes from one iteration to the next.
  private var dividers: [Double] {
    let ends = comparison.points.map { point in
      var sum = 0
      return point.result.iterations.dropLast().map { iteration -> Double in
        sum += iteration.log.last?.step ?? 0
        return Double(sum) + 0.5
      }
    }
    return ends.max { $0.count < $1.count } ?? []
  }

  /// Of the lines that have a step.
  static func mean(_ lines: [[LineChart.Point]]) -> [LineChart.Point] {
    var sums: [Double: (sum: Double, count: Double)] = [:]
    for (x, y) in lines.joined() {
      sums[x, default: (0, 0)].sum += y
      sums[x, default: (0, 0)].count += 1
    }
    return sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sum / $0.value.count) }
  }

  /// Over a twentieth of the steps around each; short lines stay as they are.
  static func smooth(_ line: [LineChart.Point]) -> [LineChart.Point] {
    let reach = line.count / 40
    guard reach > 0 else { return line }
    return line.indices.map { place in
      let around = line[max(0, place - reach)...min(line.count - 1, place + reach)]
      return (line[place].x, around.reduce(0) { $0 + $1.y } / Double(around.count))
    }
  }

  /// Means of neighbours where there are too many points.
  static func thinned(_ line: [LineChart.Point]) -> [LineChart.Point] {
    guard line.count > mostPoints else { return line }
    let size = (line.count + mostPoints - 1) / mostPoints
    return stride(from: 0, to: line.count, by: size).map { start in
      let part = line[start..<min(start + size, line.count)]
      let count = Double(part.count)
      return (part.reduce(0) { $0 + $1.x } / count, part.reduce(0) { $0 + $1.y } / count)
    }
  }
}
