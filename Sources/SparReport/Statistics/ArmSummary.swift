import SparEvaluation

/// The final results of one arm: means over its finished points.
public struct ArmSummary: Equatable, Sendable, Codable {
  public var name: String
  public var label: String
  public var values: [String: String]
  /// The points that are in the figures, and all that the arm has.
  public var points: [String]
  public var planned: Int
  /// The iteration whose policy is measured.
  public var iteration: Int
  /// Against the base model, by the ranker.
  public var winRate: Estimate
  public var meanProbability: Estimate
  /// Over pairs of similar length; nil where there are none.
  public var lengthMatched: Estimate?
  /// Tokens of a held-out answer, without the end token.
  public var tokens: Estimate
  public var baseTokens: Double
  /// Share of repeated runs of four tokens.
  public var repetition: Estimate
  public var baseRepetition: Double
  /// Share of answers that end by themselves.
  public var ended: Double
  public var baseEnded: Double
  /// Means over the last quarter of the last iteration's log, by TRL's names.
  public var training: [String: Double]
  /// Mean over points of the time of all stages.
  public var seconds: Double?
  /// Doubts about the figures, once each.
  public var warnings: [String]
  /// Against the baseline; nil for the baseline itself.
  public var winDifference: Difference?
  public var matchedDifference: Difference?
  public var tokenDifference: Difference?
}

/// The figures of a finished point, prompt by prompt.
struct PointFigures {
  var point: Comparison.Point
  var iteration: RunResult.Iteration
  var evaluation: WinRateReport

  init?(_ point: Comparison.Point) {
    guard point.isComplete, let iteration = point.result.lastEvaluated,
      let evaluation = iteration.evaluation
    else { return nil }
    self.point = point
    self.iteration = iteration
    self.evaluation = evaluation
  }
}

/// One figure of every prompt in every finished point of an arm.
enum PromptFigure {
  case win, probability, matchedWin, tokens, repetition

  func table(_ points: [PointFigures]) -> PromptTable {
    PromptTable(points.map { ($0.point.replicate, values($0)) })
  }

  private func values(_ figures: PointFigures) -> [(prompt: String, value: Double?)] {
    let outcomes = figures.evaluation.prompts
    let heldout = figures.iteration.heldout
    switch self {
    case .win: return outcomes.map { ($0.prompt, $0.win) }
    case .probability: return outcomes.map { ($0.prompt, $0.probability) }
    case .matchedWin: return outcomes.map { ($0.prompt, $0.matchedWin) }
    case .tokens: return heldout.map { ($0.id, $0.meanTokens) }
    case .repetition: return heldout.map { ($0.id, $0.repetition) }
    }
  }
}
