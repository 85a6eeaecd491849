import SparCompute
import SparHost
import SparModel

/// What the trainer needs of a ranker.
protocol TrainableRanker: AnyObject {
  var backend: Backend { get }
  /// Identity of the weights that training starts from.
  var digest: String { get }
  /// The transformer's config.json.
  func configJSON() throws -> String
  /// Settings of its own that make a run another run.
  var settings: [String: String] { get }
  /// The heads' own parameters, always trained.
  var headParameters: [Parameter] { get }
  var transformerParameters: [Parameter] { get }
  /// Gives the transformer's linear layers adapters and returns what of them is trained.
  func attachAdapters(_ options: LowRankOptions, seed: UInt64) throws -> [Parameter]
  func mergeAdapters() throws
  /// τ that scores are divided by.
  func temperature(_ loss: RankerLoss) -> Double
  /// Ready to evaluate comparisons of `data`; what does not change in training is computed here, or
  /// taken from `kept`, where the ranker has such states.
  func evaluation(
    of data: RankerData, _ options: RankerTrainingOptions, kept: StatesFile?,
    progress: ProgressHandler, isCancelled: @escaping () -> Bool
  ) throws -> any RankerEvaluation
  /// Writes the ranker as a Hugging Face folder; `best` is the step that validation chose.
  func export(to folder: String, options: RankerTrainingOptions, best: Int?) throws
}

/// Loss of comparisons, and its gradient where parameters want one.
protocol RankerEvaluation {
  var data: RankerData { get }
  /// Evaluates `pairs` (indices) in step `step`; with `recording` adds d mean loss / d parameter to
  /// gradients.
  func run(_ pairs: [Int], step: Int, recording: Bool) throws -> RankerObjective.Outcome
  /// The loss of what was found, by comparison.
  func total(_ outcome: RankerObjective.Outcome) -> Double
  /// Scores of all comparisons, in order.
  func scores() throws -> [ComparisonScore]
}

/// What a ranker says of one comparison: above zero, the chosen answer is better.
public struct ComparisonScore: Equatable, Sendable {
  /// With the chosen answer shown first, and second; equal where the order cannot matter.
  public var first: Double
  public var second: Double

  public init(first: Double, second: Double) {
    self.first = first
    self.second = second
  }
}

extension RankerModel: TrainableRanker {
  var backend: Backend { backbone.backend }
  var digest: String { backbone.digest }
  func configJSON() throws -> String {
    String(decoding: try backbone.config.json(), as: UTF8.self)
  }
  var settings: [String: String] { [:] }
  var transformerParameters: [Parameter] { backbone.architecture.parameters }

  func attachAdapters(_ options: LowRankOptions, seed: UInt64) throws -> [Parameter] {
    try backbone.architecture.attachAdapters(options, seed: seed, backend: backend)
  }

  func mergeAdapters() throws { try backbone.architecture.mergeAdapters(backend) }

  func evaluation(
    of data: RankerData, _ options: RankerTrainingOptions, kept: StatesFile?,
    progress: ProgressHandler, isCancelled: @escaping () -> Bool
  ) throws -> any RankerEvaluation {
    var features: RankerFeatures?
    if options.scope == .head {
      features = try RankerFeatures(
        data, under: backbone, gate: prompt != nil,
        tokensPerPass: options.training.tokensPerPass, kept: kept, progress: progress,
        isCancelled: isCancelled)
    }
    return RankerStep(
      model: self, data: data, options: options, features: features,
      checkpoint: {
        if isCancelled() { throw RankerTrainingError.cancelled(step: 0, checkpoint: nil) }
      })
  }
}

extension RankerStep: RankerEvaluation {
  func run(_ pairs: [Int], step: Int, recording: Bool) throws -> RankerObjective.Outcome {
    try run(pairs, recording: recording)
  }
}
