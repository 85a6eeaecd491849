import ArgumentParser
import SparModel
import SparRankerTraining
import SparTraining

extension RankerHead.Kind: ExpressibleByArgument {}
extension RankerHead.Gate: ExpressibleByArgument {}
extension RankerLoss.Form: ExpressibleByArgument {}
extension RankerTrainingOptions.Scope: ExpressibleByArgument {}
extension LanguageModelLoss.Form: ExpressibleByArgument {}
extension LearningRateSchedule.Shape: ExpressibleByArgument {}

/// The flags that say what a ranker computes and what it is trained for.
struct RankerHeadArguments: ParsableArguments {
  @Option(
    help: """
      gpm: embeddings that can hold cycles; bradley-terry: a reward; pairrm: a DeBERTa encoder \
      that reads both answers.
      """)
  var kind = RankerHead.Kind.gpm

  @Option(help: "Dimension of embeddings, even (gpm). (default: 2)")
  var valueHeadDim: Int?

  @Option(
    help: "Weights of an embedding's blocks from the prompt (gpm). (default: none)")
  var gate: RankerHead.Gate?

  @Flag(inversion: .prefixedNo, help: "Divide embeddings by their norm (gpm). (default: --l2)")
  var l2: Bool?

  @Option(help: "τ, by which scores are divided. (default: 0.1 for gpm, else 1)")
  var generalPreferenceTau: Double?

  @Option(help: "pairwise: −ln σ(x); regression: ½(x − target)².")
  var loss = RankerLoss.Form.pairwise

  @Flag(help: "Train τ along.")
  var learnTau = false

  @Flag(help: "Use the margins of the data.")
  var marginLoss = false

  @Option(help: "Target of the regression without margins. (default: 10)")
  var regressionTargetMargin: Double?

  /// A flag that the others make void is an error: it would be accepted and ignored.
  func validate() throws {
    if kind != .gpm {
      let given = [
        ("value-head-dim", valueHeadDim != nil), ("gate", gate != nil), ("l2", l2 != nil),
      ]
      if let name = given.first(where: \.1)?.0 {
        throw ValidationError(
          "--\(name) belongs to --kind gpm; --kind \(kind.rawValue) has one number for an answer")
      }
    }
    if kind == .pairrm, learnTau {
      throw ValidationError("--learn-tau belongs to --kind gpm and bradley-terry")
    }
    if learnTau, generalPreferenceTau != nil {
      throw ValidationError(
        "--general-preference-tau gives τ, --learn-tau trains it from its own start; give one")
    }
    if regressionTargetMargin != nil, loss != .regression || marginLoss {
      throw ValidationError(
        "--regression-target-margin belongs to --loss regression without --margin-loss")
    }
  }

  var rankerHead: RankerHead {
    RankerHead(
      kind: kind, dimension: valueHeadDim ?? 2, gate: gate ?? .none, normalises: l2 ?? true)
  }

  var rankerLoss: RankerLoss {
    var value = RankerLoss()
    value.form = loss
    value.tau = generalPreferenceTau ?? kind.defaultTau
    value.learnsTau = learnTau
    value.usesMargin = marginLoss
    if let regressionTargetMargin { value.regressionTarget = regressionTargetMargin }
    return value
  }
}

/// The flags of the training itself.
struct RankerTrainingArguments: ParsableArguments {
  @Option(help: "head: states are computed once; lora: adapters, merged in the end; full.")
  var train = RankerTrainingOptions.Scope.head

  @Option(help: "Peak step size. (default: 1e-3 for head, 1e-4 for lora, 1e-5 for full)")
  var learningRate: Double?

  @Option(help: "Passes over the comparisons; fractions allowed. (default: 1)")
  var maxEpochs: Double?

  @Option(help: "Steps instead of epochs.")
  var maxSteps: Int?

  @Option(help: "Comparisons in one step.")
  var trainBatchSize = 8

  @Option(help: "Consecutive comparisons that are shuffled as one.")
  var groupSize = 1

  @Option(help: "constant, linear or cosine.")
  var lrSchedulerType = LearningRateSchedule.Shape.cosine

  @Option(help: "Part of all steps in which the step size rises.")
  var warmupRatio = 0.03

  @Option(help: "Weight decay, of matrices only.")
  var l2Decay = 0.0

  @Option(help: "Gradients are scaled down to this norm; 0 = never.")
  var maxNorm = 1.0

  @Option(
    help: "Tokens of prompt and answer; the answer's end is cut. Not for pairrm. (default: 2048)")
  var maxLen: Int?

  @Option(help: "Tokens of the prompt; its end is cut (pairrm). (default: 1224)")
  var sourceMaxLength: Int?

  @Option(
    help: """
      Tokens of an answer beside a prompt of full length; half of what a prompt leaves is added \
      (pairrm). (default: 412)
      """)
  var candidateMaxLength: Int?

  @Option(help: "Share of the comparisons, from the end, that only validates. (default: 0)")
  var validationShare: Double?

  @Option(help: "Steps between validations; 0 = after every epoch.")
  var evalSteps = 0

  @Option(help: "Steps between checkpoints; 0 = only when stopped and at the end.")
  var saveSteps = 0

  @Option(help: "Steps between lines of the log.")
  var loggingSteps = 10

  @Option(help: "Rank of adapters (--train lora). (default: 16)")
  var loraRank: Int?

  @Option(help: "Adapters count α/rank (--train lora). (default: 16)")
  var loraAlpha: Double?

  @Option(help: "Layers that get adapters, comma-separated: q_proj,v_proj. (default: all)")
  var targetModules: String?

  @Option(help: "Weight of the auxiliary language-model loss (lora, full).")
  var ptxLossCoef = 0.0

  @Option(help: "Form of the auxiliary loss. (default: sft-mean)")
  var ptxLoss: LanguageModelLoss.Form?

  @Option(help: "Seed of heads, adapters and order.")
  var seed: UInt64 = 42

  /// As in `RankerHeadArguments`.
  func validate() throws {
    if train != .lora {
      let given = [
        ("lora-rank", loraRank != nil), ("lora-alpha", loraAlpha != nil),
        ("target-modules", targetModules != nil),
      ]
      if let name = given.first(where: \.1)?.0 {
        throw ValidationError("--\(name) belongs to --train lora; --train is \(train.rawValue)")
      }
    }
    if ptxLoss != nil, ptxLossCoef == 0 {
      throw ValidationError("--ptx-loss has no effect while --ptx-loss-coef is 0")
    }
    if maxSteps != nil, maxEpochs != nil {
      throw ValidationError("--max-steps and --max-epochs exclude each other")
    }
  }

  /// Throws for flags that the kind of ranker makes void.
  func check(_ kind: RankerHead.Kind) throws {
    let given =
      kind == .pairrm
      ? [("max-len", maxLen != nil), ("ptx-loss-coef", ptxLossCoef != 0)]
      : [
        ("source-max-length", sourceMaxLength != nil),
        ("candidate-max-length", candidateMaxLength != nil),
      ]
    if let name = given.first(where: \.1)?.0 {
      throw ValidationError("--\(name) has no effect with --kind \(kind.rawValue)")
    }
    for (name, value) in [
      ("source-max-length", sourceMaxLength), ("candidate-max-length", candidateMaxLength),
    ] {
      if let value, value < 3 {
        throw ValidationError("--\(name) is \(value); a part has 3 tokens of its own")
      }
    }
  }

  func options(_ head: RankerHeadArguments) throws -> RankerTrainingOptions {
    var options = RankerTrainingOptions()
    options.head = head.rankerHead
    options.loss = head.rankerLoss
    options.scope = train
    options.adapters = LowRankOptions(
      rank: loraRank ?? 16, alpha: loraAlpha ?? 16,
      targets: targetModules?.split(separator: ",").map(String.init) ?? [])
    options.languageModelLoss.coefficient = ptxLossCoef
    if let ptxLoss { options.languageModelLoss.form = ptxLoss }
    options.groupSize = groupSize
    options.validationShare = validationShare ?? 0
    options.evalSteps = evalSteps
    options.maxLength = maxLen ?? 2048
    options.training.learningRate = learningRate ?? train.defaultLearningRate
    options.training.epochs = maxEpochs ?? 1
    options.training.maxSteps = maxSteps ?? 0
    options.training.perDeviceBatch = trainBatchSize
    options.training.schedule = lrSchedulerType
    options.training.warmupRatio = warmupRatio
    options.training.weightDecay = l2Decay
    options.training.maxGradNorm = maxNorm
    options.training.saveSteps = saveSteps
    options.training.loggingSteps = loggingSteps
    options.training.seed = seed
    try options.validate()
    return options
  }
}
