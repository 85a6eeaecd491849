import SparHost

/// How far the whole run is, from the progress of its stages.
///
/// Stages are weighted by what they took in earlier iterations of this process, else by a guess of
/// their share; the time left follows from the part that is done.
public struct RunProgress {
  public struct Step: Equatable, Sendable {
    /// "iteration 1/2 · train"
    public var label: String
    public var stage: String
    /// Guess of its time, in any unit that is the same for all steps.
    public var weight: Double

    public init(label: String, stage: String, weight: Double) {
      self.label = label
      self.stage = stage
      self.weight = weight
    }
  }

  /// One moment, ready to be drawn.
  public struct Snapshot: Equatable, Sendable, Codable {
    public var label: String
    /// Of the whole run, 0…1.
    public var fraction: Double
    /// Of the stage, 0…1.
    public var stageFraction: Double
    public var detail: String
    public var elapsed: Double
    /// Seconds; nil as long as nothing can be said.
    public var remaining: Double?

    public init(
      label: String, fraction: Double, stageFraction: Double, detail: String, elapsed: Double,
      remaining: Double?
    ) {
      self.label = label
      self.fraction = fraction
      self.stageFraction = stageFraction
      self.detail = detail
      self.elapsed = elapsed
      self.remaining = remaining
    }
  }

  private let steps: [Step]
  private var current = 0
  /// Steps that were found finished: they say nothing about speed.
  private var skipped: Set<Int> = []
  /// Seconds that the latest step of each stage took.
  private var measured: [String: Double] = [:]
  private var stageStart = 0.0
  private let start = ContinuousClock.now

  public init(_ steps: [Step]) {
    self.steps = steps
  }

  private var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// The current step is done, by work or because it was done before.
  public mutating func advance(bySkipping isSkipped: Bool) {
    guard current < steps.count else { return }
    let now = elapsed
    if isSkipped {
      skipped.insert(current)
    } else {
      measured[steps[current].stage] = now - stageStart
    }
    stageStart = now
    current += 1
  }

  /// In seconds as soon as anything was measured: guesses are scaled by what their neighbours took.
  private func weight(_ step: Step) -> Double {
    if let seconds = measured[step.stage] { return seconds }
    var guessed: [String: Double] = [:]
    for step in steps { guessed[step.stage] = step.weight }
    let known = measured.keys.reduce(0) { $0 + (guessed[$1] ?? 0) }
    let scale = known > 0 ? measured.values.reduce(0, +) / known : 1
    return step.weight * scale
  }

  public func snapshot(_ progress: SparHost.Progress) -> Snapshot {
    let weights = steps.map(weight)
    let total = weights.reduce(0, +)
    let before = weights.prefix(current).reduce(0, +)
    let inStage = progress.total > 0 ? min(max(progress.done / progress.total, 0), 1) : 0
    let done = before + inStage * (current < steps.count ? weights[current] : 0)
    let worked = done - skipped.reduce(0) { $0 + weights[$1] }
    let elapsed = elapsed
    let remaining = worked > 0 && elapsed > 2 ? elapsed / worked * (total - done) : nil
    return Snapshot(
      label: current < steps.count ? steps[current].label : "done",
      fraction: total > 0 ? done / total : 1, stageFraction: inStage, detail: progress.detail,
      elapsed: elapsed, remaining: remaining)
  }
}
