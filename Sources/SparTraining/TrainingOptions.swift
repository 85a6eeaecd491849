import SparCompute
import SparData

/// How a policy is trained.  In brackets the names of TRL and Hugging Face's Trainer.
///
/// The defaults are those of the authors' SPPO runs where they are known.
public struct TrainingOptions: Codable, Equatable, Sendable {
  /// The update rule, with weights decayed only in matrices, as Hugging Face does.
  public enum Optimizer: String, Codable, Sendable, CaseIterable {
    case rmsprop
    case adamw
  }

  /// How long sequences are cut.
  public enum Truncation: String, Codable, Sendable, CaseIterable {
    /// The prompt loses its beginning first, then the answer its end.
    case keepEnd = "keep-end"
    /// The prompt loses its end first, then the answer its end.
    case keepStart = "keep-start"
    /// A sequence that is too long is an error that names its place.
    case refuse
  }

  /// Peak step size [learning_rate].
  public var learningRate = 5e-7
  /// [optim]
  public var optimizer = Optimizer.rmsprop
  /// Decay of RMSprop's mean square.
  public var alpha = 0.99
  /// RMSprop's momentum; 0 keeps no such state.
  public var momentum = 0.0
  /// Adam's decay of the mean gradient [adam_beta1].
  public var beta1 = 0.9
  /// Adam's decay of the mean square [adam_beta2].
  public var beta2 = 0.999
  /// Added to the root of the mean square [adam_epsilon].
  public var epsilon = 1e-8
  /// [weight_decay]
  public var weightDecay = 0.0
  /// [lr_scheduler_type]
  public var schedule = LearningRateSchedule.Shape.linear
  /// Part of all steps in which the step size rises from 0 [warmup_ratio].
  public var warmupRatio = 0.1
  /// The same in steps; above 0 it wins over the ratio [warmup_steps].
  public var warmupSteps = 0
  /// Gradients are scaled down to this norm; 0 = never [max_grad_norm].
  public var maxGradNorm = 0.0
  /// Prompts [per_device_train_batch_size]; an optimizer step is this times the next.
  public var perDeviceBatch = 8
  /// [gradient_accumulation_steps]
  public var accumulationSteps = 1
  /// Passes over the data, fractions allowed [num_train_epochs].
  public var epochs = 1.0
  /// Epochs that the schedule is made for; 0 = `epochs`.  SPPO's paper plans 18 and stops after 1.
  public var scheduleEpochs = 0.0
  /// Steps instead of epochs; 0 = by epochs [max_steps].
  public var maxSteps = 0
  /// [seed]
  public var seed: UInt64 = 42
  /// Of the data order; nil = `seed` [data_seed].
  public var dataSeed: UInt64?
  /// False trains in the order of the file.
  public var shuffle = true
  /// Steps between lines of the log; the first and the last step are always logged.
  public var loggingSteps = 10
  /// Steps between checkpoints; 0 = only the last one [save_steps].
  public var saveSteps = 500
  /// Checkpoints to keep; 0 = all [save_total_limit].
  public var saveTotalLimit = 0
  /// Packed rows that go through the model at once: bounds memory, changes nothing else.
  public var tokensPerPass = 1024
  /// Of prompt and answer together, in tokens [max_length].
  public var maxLength = 1024
  /// [max_prompt_length]
  public var maxPromptLength = 512
  /// [truncation_mode]
  public var truncation = Truncation.keepEnd
  /// How conversations become ids, and how they are cut.
  public var rendering = PromptRendering.exact
  /// What each group of K answers is trained on.
  public var pairing = Pairing.bestWorst
  /// Takes the sampler's stored log-probabilities as the reference's, when the candidates are
  /// from this very model, instead of computing them again.
  public var referenceFromGeneration = false

  public init() {}

  /// Prompts of one optimizer step, each with all its pairs or answers.
  public var batchSize: Int { perDeviceBatch * accumulationSteps }

  public var updateRule: UpdateRule {
    switch optimizer {
    case .adamw: .adamW(beta1: beta1, beta2: beta2, epsilon: epsilon)
    case .rmsprop: .rmsProp(alpha: alpha, epsilon: epsilon, momentum: momentum)
    }
  }

  /// Throws for the first value that makes no sense.
  public func validate() throws(TrainingError) {
    func need(_ holds: Bool, _ key: String, _ found: some Any, _ wanted: String)
      throws(TrainingError)
    {
      if !holds { throw .option(key: key, found: "\(found)", wanted: wanted) }
    }
    let decays = [("alpha", alpha), ("beta1", beta1), ("beta2", beta2), ("momentum", momentum)]
    for (key, value) in decays {
      try need(value >= 0 && value < 1, key, value, "at least 0 and below 1")
    }
    let amounts = [
      ("learningRate", learningRate), ("weightDecay", weightDecay), ("maxGradNorm", maxGradNorm),
      ("epochs", epochs), ("scheduleEpochs", scheduleEpochs),
    ]
    for (key, value) in amounts {
      try need(value.isFinite && value >= 0, key, value, "a finite number, at least 0")
    }
    try need(epsilon > 0, "epsilon", epsilon, "above 0")
    try need((0...1).contains(warmupRatio), "warmupRatio", warmupRatio, "from 0 to 1")
    let counts = [
      ("perDeviceBatch", perDeviceBatch), ("accumulationSteps", accumulationSteps),
      ("loggingSteps", loggingSteps), ("tokensPerPass", tokensPerPass),
      ("maxPromptLength", maxPromptLength),
    ]
    for (key, value) in counts { try need(value > 0, key, value, "at least 1") }
    let limits = [
      ("warmupSteps", warmupSteps), ("maxSteps", maxSteps), ("saveSteps", saveSteps),
      ("saveTotalLimit", saveTotalLimit),
    ]
    for (key, value) in limits { try need(value >= 0, key, value, "at least 0") }
    try need(epochs > 0 || maxSteps > 0, "epochs", epochs, "above 0, or max_steps above 0")
    try need(
      maxLength > maxPromptLength, "maxLength", maxLength,
      "more than max_prompt_length (\(maxPromptLength)), so that an answer fits")
  }
}
