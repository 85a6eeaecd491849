import SparEvaluation
import SparTraining

/// All figures of a comparison that take arithmetic: arms, differences, effects of axes.
public struct Analysis: Sendable {
  /// Arms with at least one finished point, in the order of the comparison.
  public var arms: [ArmSummary] = []
  public var effects: [AxisEffect] = []
  public var interactions: [Interaction] = []
  /// The bootstrap behind every interval; nil without a finished point.
  public var bootstrap: Bootstrap?
  /// Arms whose win rate differs from the baseline's after correction, at 5 %.
  public var different: Int { arms.count { ($0.winDifference?.corrected ?? 1) < Self.level } }
  /// The baseline among `arms`; nil where it has no finished point.
  public var baseline: Int?

  public static let level = 0.05

  public init(_ comparison: Comparison) {
    let finished = comparison.arms.map { arm in
      comparison.points(of: arm).compactMap(PointFigures.init)
    }
    guard let first = finished.joined().first else { return }
    // One for all, so that the arms' figures are resampled together.
    let bootstrap = first.evaluation.bootstrap
    self.bootstrap = bootstrap
    var places: [Int] = []
    for (place, points) in finished.enumerated() where !points.isEmpty {
      arms.append(Self.summary(comparison.arms[place], points, bootstrap))
      places.append(place)
    }
    baseline = comparison.baseline.flatMap { places.firstIndex(of: $0) }
    if let baseline {
      compare(finished.filter { !$0.isEmpty }, with: baseline, bootstrap)
    }
    let wins = finished.map { PromptFigure.win.table($0) }
    let entries = places.map { (values: comparison.arms[$0].values, table: wins[$0]) }
    let axes = comparison.armAxes.filter { axis in
      Set(entries.compactMap { $0.values[axis.name] }).count > 1
    }
    effects = axes.compactMap { AxisEffect($0, of: entries, bootstrap) }
    for (place, axis) in axes.enumerated() {
      interactions += axes[(place + 1)...].compactMap {
        Interaction(axis, $0, of: entries, bootstrap)
      }
    }
  }

  private static func summary(
    _ arm: Comparison.Arm, _ points: [PointFigures], _ bootstrap: Bootstrap
  ) -> ArmSummary {
    func mean(_ value: (PointFigures) -> Double) -> Double {
      points.reduce(0) { $0 + value($1) } / Double(points.count)
    }
    /// With an interval where every prompt has its figure, else what the evaluations say.
    func estimate(_ figure: PromptFigure, _ stated: (PointFigures) -> Double) -> Estimate {
      Estimate(figure.table(points), bootstrap)
        ?? Estimate(
          value: mean(stated), prompts: points[0].evaluation.n, replicates: points.count)
    }
    var warnings: [String] = []
    for warning in points.flatMap(\.evaluation.warnings) where !warnings.contains(warning) {
      warnings.append(warning)
    }
    let seconds = points.compactMap { $0.point.seconds ?? $0.point.result.stageSeconds }
    return ArmSummary(
      name: arm.name, label: arm.label, values: arm.values, points: points.map(\.point.id),
      planned: arm.points.count, iteration: points.map(\.iteration.number).max() ?? 0,
      winRate: estimate(.win) { $0.evaluation.value },
      meanProbability: estimate(.probability) { $0.evaluation.meanProbability },
      lengthMatched: Estimate(PromptFigure.matchedWin.table(points), bootstrap),
      tokens: estimate(.tokens) { $0.evaluation.policy.meanTokens },
      baseTokens: mean { $0.evaluation.base.meanTokens },
      repetition: estimate(.repetition) { $0.evaluation.policy.repetition },
      baseRepetition: mean { $0.evaluation.base.repetition },
      ended: mean { $0.evaluation.policy.ended }, baseEnded: mean { $0.evaluation.base.ended },
      training: end(of: points.map(\.iteration.log)),
      seconds: seconds.isEmpty ? nil : seconds.reduce(0, +) / Double(seconds.count),
      warnings: warnings)
  }

  /// Means over the last quarter of each log; a single step is one batch and says little.
  static func end(of logs: [[TrainingLogEntry]]) -> [String: Double] {
    var sums: [String: (sum: Double, count: Double)] = [:]
    for log in logs {
      for entry in log.suffix(max(1, log.count / 4)) {
        for (name, value) in entry.values where value.isFinite {
          sums[name, default: (0, 0)].sum += value
          sums[name, default: (0, 0)].count += 1
        }
      }
    }
    return sums.mapValues { $0.sum / $0.count }
  }

  private mutating func compare(
    _ points: [[PointFigures]], with baseline: Int, _ bootstrap: Bootstrap
  ) {
    func difference(_ figure: PromptFigure, _ place: Int) -> Difference? {
      Difference(
        figure.table(points[place]), minus: figure.table(points[baseline]), bootstrap)
    }
    var tested: [Int] = []
    for place in arms.indices where place != baseline {
      arms[place].winDifference = difference(.win, place)
      arms[place].matchedDifference = difference(.matchedWin, place)
      arms[place].tokenDifference = difference(.tokens, place)
      if arms[place].winDifference != nil { tested.append(place) }
    }
    let corrected = Holm.correct(tested.compactMap { arms[$0].winDifference?.p })
    for (place, value) in zip(tested, corrected) { arms[place].winDifference?.corrected = value }
  }
}
