import SparModel
import SparTraining

/// How a ranker is trained; defaults are those of the authors' code where it has them.
public struct RankerTrainingOptions: Equatable, Sendable, Codable {
  /// What is trained beside the heads.
  public enum Scope: String, Codable, Sendable, CaseIterable {
    /// Nothing: the transformer's states are computed once.
    case head
    /// Low-rank adapters of its linear layers, merged in the end.
    case lora
    /// All of its weights.
    case full

    /// Peak step size where none is given.
    public var defaultLearningRate: Double {
      switch self {
      case .head: 1e-3
      case .lora: 1e-4
      case .full: 1e-5
      }
    }
  }

  public var head = RankerHead()
  public var loss = RankerLoss()
  public var scope = Scope.head
  public var adapters = LowRankOptions()
  public var languageModelLoss = LanguageModelLoss()
  /// Consecutive comparisons that stay together when shuffled, so that a cycle is seen whole.
  public var groupSize = 1
  /// Share of the comparisons, from the end of the file, that only validates; with data of its own
  /// for that it is not read.
  public var validationShare = 0.0
  /// Steps between validations; 0 = after every epoch.
  public var evalSteps = 0
  /// Ids of prompt and answer together; the answer's end is cut.
  public var maxLength = 2048
  /// Step size, schedule, batch and update rule.
  public var training: TrainingOptions

  public init() {
    training = TrainingOptions()
    training.learningRate = 1e-5
    training.optimizer = .adamw
    training.beta1 = 0.9
    training.beta2 = 0.95
    training.schedule = .cosine
    training.warmupRatio = 0.03
    training.maxGradNorm = 1
    training.perDeviceBatch = 8
    training.tokensPerPass = 2048
    training.maxLength = 1 << 30
    training.maxPromptLength = 1 << 29
    training.saveSteps = 0
  }

  /// Throws for the first value that makes no sense.
  public func validate() throws {
    func need(_ holds: Bool, _ key: String, _ found: some Any, _ wanted: String) throws {
      if !holds { throw RankerTrainingError.option(key: key, found: "\(found)", wanted: wanted) }
    }
    try training.validate()
    if head.kind == .gpm {
      try need(
        head.dimension > 0 && head.dimension % 2 == 0, "value_head_dim", head.dimension,
        "even and above 0 (2 for each block of a general preference model)")
    }
    try need(loss.tau > 0 && loss.tau.isFinite, "general_preference_tau", loss.tau, "above 0")
    if head.kind == .pairrm {
      try need(!loss.learnsTau, "learn_tau", loss.learnsTau, "false for a cross-encoder")
      try need(
        languageModelLoss.coefficient == 0, "ptx_loss_coef", languageModelLoss.coefficient,
        "0 for a cross-encoder: it is no language model")
    }
    try need(groupSize > 0, "group_size", groupSize, "at least 1")
    try need(
      (0..<1).contains(validationShare), "validation_share", validationShare,
      "at least 0 and below 1")
    try need(maxLength > 1, "max_len", maxLength, "at least 2")
    try need(adapters.rank > 0, "lora_rank", adapters.rank, "at least 1")
    try need(evalSteps >= 0, "eval_steps", evalSteps, "at least 0")
    try need(
      languageModelLoss.coefficient >= 0 && languageModelLoss.coefficient < 1, "ptx_loss_coef",
      languageModelLoss.coefficient, "at least 0 and below 1")
    try need(
      languageModelLoss.coefficient == 0 || scope != .head, "ptx_loss_coef",
      languageModelLoss.coefficient,
      "0 with --train head: the language model itself is not trained there")
  }
}
