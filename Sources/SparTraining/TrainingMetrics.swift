import Glibc

/// One line of the training log.
public struct TrainingLogEntry: Equatable, Sendable {
  /// Steps done.
  public var step: Int
  /// By TRL's names, with Spar's own under `spar/`, `perf/` and `objective/`.
  public var values: [String: Double]

  public init(step: Int, values: [String: Double]) {
    self.step = step
    self.values = values
  }

  /// Without what depends on the machine's speed and memory.
  public var reproducible: [String: Double] {
    values.filter { !$0.key.hasPrefix("perf/") }
  }
}

/// How rewards and losses are shown; the numbers are the objective's, so the caller knows them.
public struct MetricScale: Equatable, Sendable {
  /// Rewards are this times the log-ratio.
  public var beta: Double
  /// `spar/normalised_loss` is this times the loss (beta^2 for the SPPO family); nil = not shown.
  public var lossFactor: Double?

  public init(beta: Double = 1, lossFactor: Double? = nil) {
    self.beta = beta
    self.lossFactor = lossFactor
  }
}

/// Weighted sums since the last line of the log.  Saved with checkpoints, so that a resumed run
/// writes the same lines.
struct MetricWindow: Codable, Equatable {
  private struct Mean: Codable, Equatable {
    var sum = 0.0
    var weight = 0.0
  }
  private var means: [String: Mean] = [:]

  mutating func add(_ name: String, sum: Double, weight: Double = 1) {
    means[name, default: Mean()].sum += sum
    means[name, default: Mean()].weight += weight
  }

  /// The means; names that nothing was added to are absent.
  var values: [String: Double] {
    means.filter { $0.value.weight != 0 }.mapValues { $0.sum / $0.weight }
  }

  mutating func clear() { means = [:] }

  /// Adds what a step found about `groups`.
  mutating func add(
    _ outcome: StepGradient.Outcome, of groups: [TrainingGroup], metricNames: [String],
    scale: MetricScale
  ) {
    let pairs = Double(outcome.pairs)
    add("loss", sum: outcome.loss, weight: pairs)
    if let factor = scale.lossFactor {
      add("spar/normalised_loss", sum: factor * outcome.loss, weight: pairs)
    }
    add(
      "entropy", sum: outcome.entropy,
      weight: Double(groups.reduce(0) { $0 + $1.answerTokens }))
    // Rewards are computed below, in the same way for every objective.
    for (index, name) in metricNames.enumerated() where !name.hasPrefix("rewards/") {
      add(
        "objective/\(name)", sum: outcome.metricSum[index], weight: outcome.metricWeight[index])
    }
    for (group, logps) in zip(groups, outcome.logps) { add(group, logps, scale) }
  }

  private mutating func add(_ group: TrainingGroup, _ logps: [Double], _ scale: MetricScale) {
    let ratios = zip(group.answers, logps).map { $1 - ($0.refLogp ?? 0) }
    for (answer, ratio) in zip(group.answers, ratios) where answer.refLogp != nil {
      add("spar/kl_ref", sum: ratio)
    }
    for (chosen, rejected) in group.comparisons {
      for (side, rows) in [("chosen", chosen), ("rejected", rejected)] {
        for row in rows {
          add("rewards/\(side)", sum: scale.beta * ratios[row])
          add("logps/\(side)", sum: logps[row])
          add("spar/len_\(side)", sum: Double(group.answers[row].ids.count))
        }
      }
      guard !chosen.isEmpty, !rejected.isEmpty else { continue }
      func reward(_ rows: [Int]) -> Double {
        rows.reduce(0) { $0 + scale.beta * ratios[$1] } / Double(rows.count)
      }
      let margin = reward(chosen) - reward(rejected)
      add("rewards/margins", sum: margin)
      add("rewards/accuracies", sum: margin > 0 ? 1 : 0)
    }
  }
}

/// The most memory that this process ever held, in MB.
func peakMemoryMB() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) / 1024
}
