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
    let pairs = Double(groups.count)
    add("loss", sum: outcome.loss, weight: pairs)
    if let factor = scale.lossFactor {
      add("spar/normalised_loss", sum: factor * outcome.loss, weight: pairs)
    }
    // Rewards are computed below, in the same way for every objective.
    for (index, name) in metricNames.enumerated() where !name.hasPrefix("rewards/") {
      add(
        "objective/\(name)", sum: outcome.metricSum[index], weight: outcome.metricWeight[index])
    }
    for (group, logps) in zip(groups, outcome.logps) { add(group, logps, scale) }
  }

  private mutating func add(_ group: TrainingGroup, _ logps: [Double], _ scale: MetricScale) {
    var rewards: [Int8: (sum: Double, count: Double)] = [:]
    for (answer, logp) in zip(group.answers, logps) {
      let ratio = logp - (answer.refLogp ?? 0)
      if answer.refLogp != nil { add("spar/kl_ref", sum: ratio) }
      guard answer.label != 0 else { continue }
      let side = answer.label > 0 ? "chosen" : "rejected"
      add("rewards/\(side)", sum: scale.beta * ratio)
      add("logps/\(side)", sum: logp)
      add("spar/len_\(side)", sum: Double(answer.ids.count))
      rewards[answer.label, default: (0, 0)].sum += scale.beta * ratio
      rewards[answer.label, default: (0, 0)].count += 1
    }
    if let chosen = rewards[1], let rejected = rewards[-1] {
      let margin = chosen.sum / chosen.count - rejected.sum / rejected.count
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
