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
  @Option(help: "gpm: embeddings that can hold cycles; bradley-terry: a reward.")
  var kind = RankerHead.Kind.gpm

  @Option(help: "Dimension of embeddings, even (gpm).")
  var valueHeadDim = 2

  @Option(help: "Weights of an embedding's blocks from the prompt: none, softmax, scaled.")
  var gate = RankerHead.Gate.none

  @Flag(inversion: .prefixedNo, help: "Divide embeddings by their norm (gpm).")
  var l2 = true

  @Option(help: "τ, by which scores are divided. (default: 0.1 for gpm, 1 for bradley-terry)")
  var generalPreferenceTau: Double?

  @Option(help: "pairwise: −ln σ(x); regression: ½(x − target)².")
  var loss = RankerLoss.Form.pairwise

  @Flag(help: "Train τ along.")
  var learnTau = false

  @Flag(help: "Use the margins of the data.")
  var marginLoss = false

  @Option(help: "Target of the regression.")
  var regressionTargetMargin = 10.0

  var rankerHead: RankerHead {
    RankerHead(kind: kind, dimension: valueHeadDim, gate: gate, normalises: l2)
  }

  var rankerLoss: RankerLoss {
    var value = RankerLoss()
    value.form = loss
    value.tau = generalPreferenceTau ?? (kind == .gpm ? 0.1 : 1)
    value.learnsTau = learnTau
    value.usesMargin = marginLoss
    value.regressionTarget = regressionTargetMargin
    return value
  }
}

/// The flags of the training itself.
struct RankerTrainingArguments: ParsableArguments {
  @Option(help: "head: states are computed once; lora: adapters, merged in the end; full.")
  var train = RankerTrainingOptions.Scope.head

  @Option(help: "Peak step size. (default: 1e-3 for head, 1e-4 for lora, 1e-5 for full)")
  var learningRate: Double?

  @Option(help: "Passes over the comparisons; fractions allowed.")
  var maxEpochs = 1.0

  @Option(help: "Steps instead of epochs; 0 = by epochs.")
  var maxSteps = 0

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

  @Option(help: "Tokens of prompt and answer; the answer's end is cut.")
  var maxLen = 2048

  @Option(help: "Share of the comparisons, from the end, that only validates.")
  var validationShare = 0.0

  @Option(help: "Steps between validations; 0 = after every epoch.")
  var evalSteps = 0

  @Option(help: "Steps between checkpoints; 0 = only when stopped and at the end.")
  var saveSteps = 0

  @Option(help: "Steps between lines of the log.")
  var loggingSteps = 10

  @Option(help: "Rank of adapters (--train lora).")
  var loraRank = 16

  @Option(help: "Adapters count α/rank (--train lora).")
  var loraAlpha = 16.0

  @Option(help: "Layers that get adapters, comma-separated: q_proj,v_proj. (default: all)")
  var targetModules: String?

  @Option(help: "Weight of the auxiliary language-model loss (lora, full).")
  var ptxLossCoef = 0.0

  @Option(help: "Form of the auxiliary loss: sft-sum, sft-mean, sft, dpo-ref-free.")
  var ptxLoss = LanguageModelLoss.Form.mean

  @Option(help: "Seed of heads, adapters and order.")
  var seed: UInt64 = 42

  func options(_ head: RankerHeadArguments) throws -> RankerTrainingOptions {
    var options = RankerTrainingOptions()
    options.head = head.rankerHead
    options.loss = head.rankerLoss
    options.scope = train
    options.adapters = LowRankOptions(
      rank: loraRank, alpha: loraAlpha,
      targets: targetModules?.split(separator: ",").map(String.init) ?? [])
    options.languageModelLoss.coefficient = ptxLossCoef
    options.languageModelLoss.form = ptxLoss
    options.groupSize = groupSize
    options.validationShare = validationShare
    options.evalSteps = evalSteps
    options.maxLength = maxLen
    options.training.learningRate = learningRate ?? [.head: 1e-3, .lora: 1e-4][train] ?? 1e-5
    options.training.epochs = maxEpochs
    options.training.maxSteps = maxSteps
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
