import Foundation
import SparHost
import SparModel

/// Trains a policy on groups of ranked answers.
///
///     let trainer = try Trainer(model, objective: sppo, groups: groups, output: folder)
///     let result = try trainer.run { print($0.detail) }
///
/// The same groups, options and initial weights give the same parameters, bit for bit: whatever
/// the thread count, and however often the run was interrupted and resumed in between.
public final class Trainer {
  public let model: TrainableModel
  public let options: TrainingOptions
  public let scale: MetricScale
  /// The folder of checkpoints and logs.
  public let output: String
  public let plan: StepPlan
  private let objective: any TrainingObjective
  private var groups: [TrainingGroup]
  private let identity: RunIdentity

  /// - Parameters:
  ///   - objectiveIdentity: name and options of the objective, as "objective", "objective.beta";
  ///     a run only resumes from checkpoints with the same.
  ///   - scale: how rewards and losses are shown.
  ///   - output: the folder for checkpoints and logs; made if need be.
  public init(
    _ model: TrainableModel, objective: any TrainingObjective,
    objectiveIdentity: [String: String] = [:], groups: [TrainingGroup],
    options: TrainingOptions = TrainingOptions(), scale: MetricScale = MetricScale(),
    output: String
  ) throws {
    try options.validate()
    guard !groups.isEmpty else { throw TrainingError.nothingToTrain }
    for (index, group) in groups.enumerated() {
      if group.terms == .answers, !objective.needs.contains(.answers) {
        throw TrainingError.needsPairs(objectiveIdentity["objective"] ?? "this objective")
      }
      if let problem = group.problem(in: model.architecture.config) {
        throw TrainingError.group(index: index, problem: problem)
      }
    }
    self.model = model
    self.objective = objective
    self.groups = groups
    self.options = options
    self.scale = scale
    self.output = output
    plan = StepPlan(groups: groups.count, options: options)
    identity = try RunIdentity(
      options: options, objective: objectiveIdentity, model: model.digest,
      data: DataDigest.of(groups))
  }

  /// Everything that decides what the run computes, as "key=value", in the order of the keys.
  public var identityLines: [String] {
    identity.values.map { "\($0.key)=\($0.value)" }.sorted()
  }

  /// Trains to the end, going on from the newest checkpoint of `output` if there is one.
  ///
  /// `isCancelled` is asked between passes; when it says yes, a checkpoint of the last completed
  /// step is written and `TrainingError.cancelled` thrown.  `afterStep` gets the number of steps
  /// done, once at the start and after every step, before any checkpoint of it; it may look at the
  /// parameters, not change them.
  public func run(
    progress: ProgressHandler = { _ in }, isCancelled: () -> Bool = { false },
    afterStep: (Int) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    if let mapped = model.architecture.parameters.first(where: { !$0.value.isTrainable }) {
      throw ModelError(.mappedWeight(name: mapped.name), path: output)
    }
    try FileManager.default.createDirectory(
      atPath: output, withIntermediateDirectories: true)
    let store = CheckpointFolder(output, keep: options.saveTotalLimit)
    try store.removeIncomplete()
    // Before a resume: the reference is the policy as it was at first.
    try prepareReference(progress: progress, isCancelled: isCancelled)
    let optimizer = Optimizer(
      model.architecture.parameters, options: options, backend: model.backend)
    defer { optimizer.releaseGradients() }
    var state = TrainingState()
    if let found = try store.newest() {
      state = try store.load(found, into: optimizer, expecting: identity)
    }
    let log = try MetricsLog(folder: output, resumingAfter: state.step)
    var loop = TrainingLoop(
      model: model, objective: objective, groups: groups, options: options, plan: plan,
      scale: scale, optimizer: optimizer, log: log, state: state)
    let firstStep = state.step
    try afterStep(firstStep)
    func save() throws -> String {
      let step = loop.state.step
      return try store.save(
        loop.state, optimizer: optimizer, model: model, identity: identity, seed: options.seed,
        dataPosition: plan.order.position(step))
    }
    do {
      while loop.state.step < plan.total {
        try loop.step(progress: progress, isCancelled: isCancelled)
        try afterStep(loop.state.step)
        if options.saveSteps > 0, loop.state.step % options.saveSteps == 0,
          loop.state.step < plan.total
        {
          _ = try save()
        }
      }
    } catch let stop as TrainingLoop.Stop {
      var path: String?
      if loop.state.step > 0 {
        path = try save()
      }
      try log.writeState(step: loop.state.step, plan: plan, options: options)
      try log.close()
      throw stop.error(checkpoint: path)
    }
    // A finished run that is started again writes nothing.
    let isNew = loop.state.step > firstStep
    let path = isNew ? try save() : store.file(step: firstStep)
    try log.writeState(step: loop.state.step, plan: plan, options: options)
    try log.close()
    return TrainingResult(
      steps: loop.state.step, newSteps: loop.state.step - firstStep, history: log.history,
      tokens: loop.tokens, seconds: loop.seconds, checkpoint: path)
  }

  /// Fills in the reference log-probabilities that are missing, from the cache or the model.
  private func prepareReference(
    progress: ProgressHandler, isCancelled: () -> Bool
  ) throws {
    guard objective.needs.contains(.reference) else { return }
    let perToken = objective.needs.contains(.tokens)
    let isComplete = groups.allSatisfy { group in
      group.answers.allSatisfy {
        $0.refLogp != nil && (!perToken || $0.tokenRefLogps.count == $0.ids.count)
      }
    }
    if isComplete { return }
    let path = output + "/reference-logps.h5"
    let data = DataDigest.of(groups)
    let count = groups.reduce(0) { $0 + $1.answerTokens }
    if let cached = try ReferenceLogps.cached(
      at: path, model: model.digest, data: data, tokens: count)
    {
      groups = cached.applied(to: groups)
      return
    }
    let computed = try ReferenceLogps.compute(
      groups, model: model, tokensPerPass: options.tokensPerPass, progress: progress,
      isCancelled: isCancelled)
    try computed.cache(at: path, model: model.digest, data: data)
    groups = computed.applied(to: groups)
  }
}

extension TrainingGroup {
  /// What is wrong with this group for that model, or nil.
  func problem(in config: ModelConfig) -> String? {
    if promptIDs.isEmpty { return "the prompt has no token" }
    if answers.isEmpty { return "there is no answer" }
    let vocabulary = 0..<Int32(config.vocabularySize)
    for (index, answer) in answers.enumerated() {
      if answer.ids.isEmpty { return "answer \(index) has no token" }
      let length = promptIDs.count + answer.ids.count
      if length > config.maxPositions {
        return "prompt and answer \(index) have \(length) tokens, the model has "
          + "\(config.maxPositions) positions; lower maxLength"
      }
      let numbers = [answer.refLogp ?? 0, answer.winProb, answer.meanScore]
      guard numbers.allSatisfy(\.isFinite) else {
        return "answer \(index) has a number that is not finite"
      }
    }
    if let id = (promptIDs + answers.flatMap(\.ids)).first(where: { !vocabulary.contains($0) }) {
      return "token id \(id) is not in the vocabulary of \(config.vocabularySize)"
    }
    let cells = answers.count * answers.count
    if pairwise.count != cells || score.count != cells {
      return "the tables have \(pairwise.count) and \(score.count) cells, not \(cells)"
    }
    if case .pairs(let pairs) = terms {
      guard !pairs.isEmpty else { return "there is no pair" }
      for pair in pairs
      where pair.chosen == pair.rejected || !answers.indices.contains(pair.chosen)
        || !answers.indices.contains(pair.rejected)
      {
        return "pair (\(pair.chosen), \(pair.rejected)) is not two of \(answers.count) answers"
      }
    }
    for (name, values) in columns where values.count != answers.count {
      return "column \(name) has \(values.count) values for \(answers.count) answers"
    }
    return nil
  }
}
