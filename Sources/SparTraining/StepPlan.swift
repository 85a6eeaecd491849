/// How many steps a run has, and where in the data each stands.
public struct StepPlan: Equatable, Sendable {
  public let order: DataOrder
  /// Steps of the run.
  public let total: Int
  public let schedule: LearningRateSchedule

  public init(groups: Int, options: TrainingOptions) {
    order = DataOrder(
      groups: groups, batchSize: options.batchSize, seed: options.dataSeed ?? options.seed,
      shuffle: options.shuffle)
    total = options.maxSteps > 0 ? options.maxSteps : order.steps(epochs: options.epochs)
    let planned =
      options.scheduleEpochs > 0 ? order.steps(epochs: options.scheduleEpochs) : total
    schedule = LearningRateSchedule(options, total: planned)
  }

  /// Passes over the data after `step` steps.
  public func epoch(_ step: Int) -> Double { Double(step) / Double(order.stepsPerEpoch) }
}
