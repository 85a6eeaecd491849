import Foundation
import SparHost

/// What a run must remember to go on: together with parameters and optimizer state it is all.
struct TrainingState: Codable, Equatable {
  /// Optimizer steps done.
  var step = 0
  /// Attended tokens so far, TRL's `num_tokens`.
  var attendedTokens = 0
  var window = MetricWindow()
}

/// One optimizer step after the other.
struct TrainingLoop {
  /// An orderly end between steps; the parameters are those of the last completed step.
  enum Stop: Error {
    case cancelled(step: Int)
    case notFinite(what: String, value: Double, step: Int)

    func error(checkpoint: String?) -> TrainingError {
      switch self {
      case .cancelled(let step): .cancelled(step: step, checkpoint: checkpoint)
      case .notFinite(let what, let value, let step):
        .notFinite(what: what, value: value, step: step, lastCheckpoint: checkpoint)
      }
    }
  }

  let model: TrainableModel
  let objective: any TrainingObjective
  let groups: [TrainingGroup]
  let options: TrainingOptions
  let plan: StepPlan
  let scale: MetricScale
  let optimizer: Optimizer
  let log: MetricsLog
  private(set) var state: TrainingState
  /// Of this call.
  private(set) var tokens = 0
  private(set) var seconds = 0.0
  private var tokensAtLog = 0
  private var secondsAtLog = 0.0

  init(
    model: TrainableModel, objective: any TrainingObjective, groups: [TrainingGroup],
    options: TrainingOptions, plan: StepPlan, scale: MetricScale, optimizer: Optimizer,
    log: MetricsLog, state: TrainingState
  ) {
    self.model = model
    self.objective = objective
    self.groups = groups
    self.options = options
    self.plan = plan
    self.scale = scale
    self.optimizer = optimizer
    self.log = log
    self.state = state
  }

  mutating func step(progress: ProgressHandler, isCancelled: () -> Bool) throws {
    let start = ContinuousClock.now
    let step = state.step
    let batch = plan.order.batch(step).map { groups[$0] }
    optimizer.zeroGradients()
    let outcome = try withoutActuallyEscaping(isCancelled) { isCancelled in
      try StepGradient(
        model: model, objective: objective, tokensPerPass: options.tokensPerPass,
        checkpoint: { if isCancelled() { throw Stop.cancelled(step: step) } }
      ).accumulate(batch, progress: Double(step) / Double(plan.total))
    }
    try require(outcome.loss, "loss")
    let norm = try optimizer.gradientNorm()
    try require(norm, "gradient norm")
    let clipped = options.maxGradNorm > 0 && norm > options.maxGradNorm
    let rate = options.learningRate * plan.schedule.multiplier(step)
    try optimizer.update(
      learningRate: rate, gradientScale: clipped ? options.maxGradNorm / norm : 1, step: step + 1)
    state.step += 1
    state.attendedTokens += batch.reduce(0) { $0 + $1.attendedTokens }
    state.window.add(outcome, of: batch, metricNames: objective.metricNames, scale: scale)
    tokens += outcome.packedTokens
    seconds += (ContinuousClock.now - start) / .seconds(1)
    try logIfDue(learningRate: rate, norm: norm)
    progress(report(loss: outcome.loss / Double(outcome.pairs)))
  }

  private func require(_ value: Double, _ what: String) throws {
    if !value.isFinite {
      throw Stop.notFinite(what: what, value: value, step: state.step + 1)
    }
  }

  private mutating func logIfDue(learningRate: Double, norm: Double) throws {
    let step = state.step
    guard step == 1 || step == plan.total || step % options.loggingSteps == 0 else { return }
    var values = state.window.values
    values["learning_rate"] = learningRate
    values["grad_norm"] = norm
    values["epoch"] = plan.epoch(step)
    values["global_step"] = Double(step)
    values["num_tokens"] = Double(state.attendedTokens)
    values["perf/tokens_per_s"] =
      Double(tokens - tokensAtLog) / max(seconds - secondsAtLog, 1e-9)
    values["perf/mem_peak_mb"] = peakMemoryMB()
    try log.append(TrainingLogEntry(step: step, values: values))
    state.window.clear()
    (tokensAtLog, secondsAtLog) = (tokens, seconds)
  }

  private func report(loss: Double) -> SparHost.Progress {
    let speed = Int((Double(tokens) / max(seconds, 1e-9)).rounded())
    let shown = String(format: "%.4g", loss)
    return SparHost.Progress(
      stage: "train", done: Double(state.step), total: Double(plan.total), unit: "steps",
      detail: "loss \(shown) · \(speed) tokens/s")
  }
}
