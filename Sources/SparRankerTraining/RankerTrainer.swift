import Foundation
import SparCompute
import SparHost
import SparModel
import SparTensor
import SparTraining

/// Trains a ranker on comparisons.
///
///     let trainer = try RankerTrainer(model, data: data, options: options, output: folder)
///     let result = try trainer.run { print($0.detail) }
///
/// The same data, options and weights give the same ranker, bit for bit, however often the run was
/// interrupted and resumed in between.
public final class RankerTrainer {
  let ranker: any TrainableRanker
  public let options: RankerTrainingOptions
  private let data: RankerData
  private let validation: RankerData?
  private let output: String
  private let order: DataOrder
  private let total: Int
  private let checkpoints: RankerCheckpoints
  private let states: StatesFile?
  private let exports: Bool

  /// - Parameters:
  ///   - validation: comparisons that choose the best checkpoint; nil = a share of `data`, if
  ///     the options ask for one.  Their prompts and answers are those of `validation` itself.
  ///   - dataDigest: identity of the files that the comparisons come from.
  ///   - output: the folder of checkpoints, logs and the finished ranker.
  ///   - states: states that are at hand and where new ones go; read for heads alone.
  ///   - exports: whether the finished ranker is written.
  public convenience init(
    _ backbone: LanguageModel, data: RankerData, validation: RankerData? = nil,
    dataDigest: String, options: RankerTrainingOptions, output: String,
    states: StatesFile? = nil, exports: Bool = true
  ) throws {
    try options.validate()
    let model = RankerModel(
      backbone, head: options.head, learnsTau: options.loss.learnsTau,
      seed: options.training.seed)
    try self.init(
      ranker: model, data: data, validation: validation, dataDigest: dataDigest,
      options: options, output: output, states: states, exports: exports)
  }

  /// The same for a cross-encoder; `options.head` is not read.
  public convenience init(
    _ encoder: CrossEncoder, data: RankerData, validation: RankerData? = nil,
    dataDigest: String, options: RankerTrainingOptions, output: String
  ) throws {
    try options.validate()
    try self.init(
      ranker: encoder, data: data, validation: validation, dataDigest: dataDigest,
      options: options, output: output, states: nil, exports: true)
  }

  private init(
    ranker: any TrainableRanker, data: RankerData, validation: RankerData?, dataDigest: String,
    options: RankerTrainingOptions, output: String, states: StatesFile?, exports: Bool
  ) throws {
    self.states = states
    self.exports = exports
    let held =
      validation == nil ? Int(options.validationShare * Double(data.pairs.count)) : 0
    self.data = data.keeping(0..<(data.pairs.count - held))
    self.validation =
      validation
      ?? (held > 0 ? data.keeping((data.pairs.count - held)..<data.pairs.count) : nil)
    guard !self.data.pairs.isEmpty else {
      throw RankerTrainingError.noPairs(path: "the training data")
    }
    self.options = options
    self.output = output
    self.ranker = ranker
    // Comparisons that belong together are one unit of the shuffle.
    let units = (self.data.pairs.count + options.groupSize - 1) / options.groupSize
    order = DataOrder(
      groups: units, batchSize: max(1, options.training.batchSize / options.groupSize),
      seed: options.training.dataSeed ?? options.training.seed, shuffle: options.training.shuffle)
    total =
      options.training.maxSteps > 0
      ? options.training.maxSteps : order.steps(epochs: options.training.epochs)
    var own = try Self.flat(options).merging(ranker.settings) { $1 }
    own["stage"] = "train-ranker"
    checkpoints = RankerCheckpoints(
      folder: output,
      identity: try RunIdentity(
        options: options.training, objective: own, model: ranker.digest, data: dataDigest),
      configJSON: try ranker.configJSON(),
      seed: options.training.seed)
  }

  /// The options of head, loss and scope as "head.kind": "gpm".
  private static func flat(_ options: RankerTrainingOptions) throws -> [String: String] {
    var flat: [String: String] = [:]
    let json = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(options))
    for (key, value) in json as? [String: Any] ?? [:]
    where key != "training" && key != "evalSteps" {
      for (inner, part) in value as? [String: Any] ?? ["": value] {
        flat[inner.isEmpty ? key : "\(key).\(inner)"] = "\(part)"
      }
    }
    return flat
  }

  public func run(
    progress: ProgressHandler = { _ in }, isCancelled: @escaping () -> Bool = { false }
  ) throws -> RankerTrainingResult {
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    var parameters = ranker.headParameters
    switch options.scope {
    case .head: break
    case .lora:
      parameters += try ranker.attachAdapters(options.adapters, seed: options.training.seed)
    case .full: parameters += ranker.transformerParameters
    }
    let optimizer = Optimizer(parameters, options: options.training, backend: ranker.backend)
    defer { optimizer.releaseGradients() }
    var state = try checkpoints.resume(optimizer) ?? RankerTrainingState()
    let log = try MetricsLog(folder: output, resumingAfter: state.step)
    let steps = try steppers(progress: progress, isCancelled: isCancelled)
    do {
      while state.step < total {
        try step(&state, optimizer, steps.training, log, progress)
        if isValidationDue(state.step), let stepper = steps.validation {
          try validate(&state, optimizer, stepper, log)
        }
        let saves = options.training.saveSteps
        if saves > 0, state.step % saves == 0, state.step < total {
          _ = try checkpoints.save(state, optimizer)
        }
      }
    } catch RankerTrainingError.cancelled {
      let path = state.step > 0 ? try checkpoints.save(state, optimizer) : nil
      try log.close()
      throw RankerTrainingError.cancelled(step: state.step, checkpoint: path)
    }
    _ = try checkpoints.save(state, optimizer)
    try log.close()
    if state.best != nil { try checkpoints.loadBest(into: parameters) }
    optimizer.releaseGradients()
    try ranker.mergeAdapters()
    let folder = output + "/ranker"
    if exports { try ranker.export(to: folder, options: options, best: state.best?.step) }
    return RankerTrainingResult(
      folder: folder, steps: state.step, pairs: data.pairs.count,
      validationPairs: validation?.pairs.count ?? 0, bestStep: state.best?.step,
      accuracy: state.best?.accuracy, loss: state.best?.loss,
      longerWins: (validation ?? data).longerWins, temperature: ranker.temperature(options.loss),
      history: log.history)
  }

  private func steppers(
    progress: ProgressHandler, isCancelled: @escaping () -> Bool
  ) throws -> (training: any RankerEvaluation, validation: (any RankerEvaluation)?) {
    func stepper(_ data: RankerData) throws -> any RankerEvaluation {
      try ranker.evaluation(
        of: data, options, kept: states, progress: progress, isCancelled: isCancelled)
    }
    return (try stepper(data), try validation.map(stepper))
  }

  /// Scores of the comparisons of `data`, in order, by the ranker as `run` left it.
  public func scores(
    of data: RankerData, progress: ProgressHandler = { _ in },
    isCancelled: @escaping () -> Bool = { false }
  ) throws -> [ComparisonScore] {
    try ranker.evaluation(
      of: data, options, kept: states, progress: progress, isCancelled: isCancelled
    ).scores()
  }

  private func pairs(_ step: Int) -> [Int] {
    order.batch(step).flatMap { unit in
      (unit * options.groupSize)..<min((unit + 1) * options.groupSize, data.pairs.count)
    }
  }

  private func step(
    _ state: inout RankerTrainingState, _ optimizer: Optimizer, _ stepper: any RankerEvaluation,
    _ log: MetricsLog, _ progress: ProgressHandler
  ) throws {
    optimizer.zeroGradients()
    let outcome = try stepper.run(pairs(state.step), step: state.step, recording: true)
    let loss = stepper.total(outcome)
    let norm = try optimizer.gradientNorm()
    for (what, value) in [("loss", loss), ("gradient norm", norm)] where !value.isFinite {
      throw RankerTrainingError.notFinite(what: what, value: value, step: state.step + 1)
    }
    let limit = options.training.maxGradNorm
    let schedule = LearningRateSchedule(options.training, total: total)
    let rate = options.training.learningRate * schedule.multiplier(state.step)
    try optimizer.update(
      learningRate: rate, gradientScale: limit > 0 && norm > limit ? limit / norm : 1,
      step: state.step + 1)
    state.step += 1
    state.window.add(outcome)
    state.meanLoss = 0.9 * state.meanLoss + 0.1 * loss
    if state.step == 1 || state.step == total
      || state.step % options.training.loggingSteps == 0
    {
      var values = figures(state.window, stepper)
      values["learning_rate"] = rate
      values["grad_norm"] = norm
      values["loss_mean"] = state.meanLoss
      values["epoch"] = Double(state.step) / Double(order.stepsPerEpoch)
      values["global_step"] = Double(state.step)
      if options.loss.learnsTau { values["tau"] = ranker.temperature(options.loss) }
      try log.append(TrainingLogEntry(step: state.step, values: values))
      state.window = .init()
    }
    progress(
      SparHost.Progress(
        stage: "train-ranker", done: Double(state.step), total: Double(total), unit: "steps",
        detail: String(format: "loss %.4f · accuracy %.3f", loss, outcome.accuracy)))
  }

  private func isValidationDue(_ step: Int) -> Bool {
    let every = options.evalSteps > 0 ? options.evalSteps : order.stepsPerEpoch
    return step % every == 0 || step == total
  }

  private func validate(
    _ state: inout RankerTrainingState, _ optimizer: Optimizer,
    _ stepper: any RankerEvaluation, _ log: MetricsLog
  ) throws {
    let outcome = try stepper.run(
      Array(stepper.data.pairs.indices), step: state.step, recording: false)
    let found = RankerTrainingState.Best(
      step: state.step, loss: stepper.total(outcome), accuracy: outcome.accuracy)
    var values = Dictionary(
      uniqueKeysWithValues: figures(outcome, stepper).map { ("eval_" + $0.key, $0.value) })
    values["global_step"] = Double(state.step)
    try log.append(TrainingLogEntry(step: state.step, values: values))
    if state.best.map({ found.loss < $0.loss }) ?? true {
      state.best = found
      try checkpoints.saveBest(state, optimizer.parameters)
    }
  }

  private func figures(
    _ outcome: RankerObjective.Outcome, _ stepper: any RankerEvaluation
  ) -> [String: Double] {
    let n = Double(max(outcome.pairs, 1))
    var values = [
      "loss": stepper.total(outcome), "preference_loss": outcome.loss / n,
      "prob": outcome.probability / n, "accuracy": outcome.accuracy,
    ]
    if options.languageModelLoss.coefficient > 0 {
      values["ptx_loss"] = outcome.languageModelLoss / n
    }
    return values
  }
}

/// What a run of the stage came to.
public struct RankerTrainingResult: Equatable, Sendable {
  /// The finished ranker, a Hugging Face folder, where it was written.
  public var folder: String
  public var steps: Int
  public var pairs: Int
  public var validationPairs: Int
  /// The step that the ranker is of, where validation chose it, and what validation found.
  public var bestStep: Int?
  public var accuracy: Double?
  public var loss: Double?
  /// Accuracy of "the longer answer wins" on the validation (else training) comparisons.
  public var longerWins: Double?
  public var temperature: Double
  public var history: [TrainingLogEntry]
}
