import Foundation
import SparPreference

/// One side of a comparison: where its answers came from and what they look like.
public struct AnswerFacts: Equatable, Sendable, Codable {
  /// The candidates.h5 that was read.
  public var candidates: String
  /// The model that answered, and its identity, as the file says.
  public var model: String
  public var modelDigest: String
  public var answers: Int
  /// Mean length in tokens, without the end token.
  public var meanTokens: Double
  /// Mean share of repeated runs of four tokens.
  public var repetition: Double
  /// Share of answers that ended with an end token before the length limit.
  public var ended: Double
  /// Share of answers without any text.
  public var empty: Double

  public init(
    candidates: String, model: String, modelDigest: String, answers: Int, meanTokens: Double,
    repetition: Double, ended: Double, empty: Double
  ) {
    self.candidates = candidates
    self.model = model
    self.modelDigest = modelDigest
    self.answers = answers
    self.meanTokens = meanTokens
    self.repetition = repetition
    self.ended = ended
    self.empty = empty
  }
}

/// Policy against base on held-out prompts: evaluation.json.
public struct WinRateReport: Equatable, Sendable, Codable {
  /// The win rate over pairs of similar length: what is left when length cannot decide.
  public struct LengthMatched: Equatable, Sendable, Codable {
    public var value: Double
    public var interval: ConfidenceInterval
    /// Prompts with such pairs, and the pairs.
    public var n: Int
    public var pairs: Int
  }

  public var metric = "win_rate"
  /// Mean over prompts of `PromptOutcome.win`.
  public var value: Double
  public var interval: ConfidenceInterval
  /// Prompts.
  public var n: Int
  /// Prompts that are left out since the ranker could not compare their answers; nil = none.
  public var failedPrompts: Int?
  /// Pairs of one policy and one base answer, over all prompts.
  public var pairs: Int
  /// Share of pairs with P = ½, and of pairs of equal text.
  public var tieRate: Double
  public var identicalRate: Double
  /// Mean over prompts of `PromptOutcome.probability`.
  public var meanProbability: Double
  public var meanProbabilityInterval: ConfidenceInterval
  public var lengthMatched: LengthMatched?
  public var policy: AnswerFacts
  public var base: AnswerFacts
  /// The ranker with its options, as `RankerIdentity` describes it.
  public var ranker: String
  public var probabilityRule: ProbabilityRule
  public var bootstrap: Bootstrap
  /// What the figures mean, for a reader of the file alone.
  public var definition = Self.definition
  /// Plain-language doubts about the figures.
  public var warnings: [String] = []
  public var prompts: [PromptOutcome]

  static let definition = """
    For each prompt, every policy answer is compared with every base answer by the ranker: 1 for \
    P > 1/2, 1/2 for P = 1/2, 0 otherwise. value is the mean over pairs, then over prompts; \
    interval is a percentile bootstrap over prompts; mean_probability averages P itself; \
    length_matched uses only pairs whose token lengths differ by at most 15 % of the longer.
    """

  /// Sums outcomes up; there must be at least one.
  public init(
    outcomes: [PromptOutcome], policy: AnswerFacts, base: AnswerFacts, ranker: String,
    rule: ProbabilityRule, bootstrap: Bootstrap, failedPrompts: Int = 0
  ) {
    precondition(!outcomes.isEmpty, "no prompts, no win rate")
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let wins = outcomes.map(\.win)
    let chances = outcomes.map(\.probability)
    value = mean(wins)
    interval = bootstrap.interval(of: wins)
    n = outcomes.count
    if failedPrompts > 0 { self.failedPrompts = failedPrompts }
    pairs = outcomes.reduce(0) { $0 + $1.pairs }
    tieRate = Double(outcomes.reduce(0) { $0 + $1.ties }) / Double(pairs)
    identicalRate = Double(outcomes.reduce(0) { $0 + $1.identical }) / Double(pairs)
    meanProbability = mean(chances)
    meanProbabilityInterval = bootstrap.interval(of: chances)
    let matched = outcomes.compactMap(\.matchedWin)
    if !matched.isEmpty {
      lengthMatched = LengthMatched(
        value: mean(matched), interval: bootstrap.interval(of: matched), n: matched.count,
        pairs: outcomes.reduce(0) { $0 + $1.matchedPairs })
    }
    self.policy = policy
    self.base = base
    self.ranker = ranker
    probabilityRule = rule
    self.bootstrap = bootstrap
    prompts = outcomes
    warnings = findWarnings()
  }

  /// evaluation.json: keys in alphabetical order and in snake_case, numbers in full.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(self) + [0x0A]
  }

  public init(json: Data) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(Self.self, from: json)
  }
}
