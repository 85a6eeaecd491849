import Foundation
import SparHost
import SparModel
import SparTraining

/// The `train` stage on stored files: π_t, its candidates and their preferences → a checkpoint.
public struct TrainingRun {
  private let trainer: Trainer

  /// - Parameter output: folder of checkpoints and logs; training goes on from its newest
  ///   checkpoint.
  public init(
    policy: LanguageModel, candidates: String, preferences: String, objective choice: PluginChoice,
    options: TrainingOptions, seed: UInt64, output: String, runtime: Runtime
  ) throws {
    var options = options
    options.seed = seed
    options.maxSteps = max(options.maxSteps, 0)
    let checked = try runtime.host.checkedOptions(.objective, choice)
    var identity = ["objective": choice.name]
    for (name, value) in checked { identity["objective.\(name)"] = value }
    let groups = try TrainingGroup.read(
      preferences: preferences, candidates: candidates, options: options)
    trainer = try Trainer(
      TrainableModel(policy), objective: try runtime.objective(choice),
      objectiveIdentity: identity, groups: groups, options: options,
      scale: MetricScale(beta: checked["beta"].flatMap(Double.init) ?? 1), output: output)
  }

  public func run(
    progress: ProgressHandler = { _ in }, cancelled: () -> Bool = { false }
  ) throws -> TrainingResult {
    try trainer.run(progress: progress, isCancelled: cancelled)
  }
}

extension TrainingResult {
  /// For the report.
  var figures: [String: Double] {
    var figures = ["steps": Double(steps), "tokens_per_second": tokensPerSecond]
    figures["first_loss"] = history.first?.values["loss"]
    figures["last_loss"] = history.last?.values["loss"]
    return figures
  }
}
