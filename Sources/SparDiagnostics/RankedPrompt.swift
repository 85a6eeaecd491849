/// One prompt of a preference table as the diagnostics look at it.
public struct RankedPrompt: Equatable, Sendable {
  public var id: String
  public var tournament: Tournament
  /// M, K×K row-major: the ranker's own score of (i first, j second).
  public var raw: [Double]
  /// W, K×K row-major: log-odds of P; empty where they are not known.
  public var logOdds: [Double]
  /// K×K: pairs that could not be compared, P is ½ there; empty = none.
  public var failed: [Bool]
  /// S [K], by which pairs are chosen.
  public var scores: [Double]
  /// [K]; nil where the candidates are not at hand.
  public var answers: [RankedAnswer]?

  public init(
    id: String, k: Int, probability: [Double], raw: [Double], scores: [Double],
    logOdds: [Double] = [], failed: [Bool] = [], answers: [RankedAnswer]? = nil
  ) {
    precondition(raw.count == k * k && scores.count == k, "tables of \(k) answers")
    precondition(logOdds.isEmpty || logOdds.count == k * k, "tables of \(k) answers")
    precondition(failed.isEmpty || failed.count == k * k, "tables of \(k) answers")
    precondition(answers.map { $0.count == k } ?? true, "\(k) answers")
    self.id = id
    tournament = Tournament(k: k, probability: probability)
    self.raw = raw
    self.logOdds = logOdds
    self.failed = failed
    self.scores = scores
    self.answers = answers
  }
}

/// What the diagnostics want to know of an answer.
public struct RankedAnswer: Equatable, Sendable {
  public var text: String
  /// Without the end token.
  public var tokens: Int
  /// Whether an end token closed it.
  public var isEnded: Bool

  public init(text: String, tokens: Int, isEnded: Bool) {
    self.text = text
    self.tokens = tokens
    self.isEnded = isEnded
  }

  /// Whether the answer opens like a refusal.  Words, not judgement: a rough rate to compare runs by.
  public var isRefusal: Bool {
    let opening = text.lowercased().prefix(120).replacing("\u{2019}", with: "'")
    return Self.refusals.contains { opening.contains($0) }
  }

  private static let refusals = [
    "i can't assist", "i cannot assist", "i can't help with", "i cannot help with",
    "i'm sorry, but i can", "i am sorry, but i can", "i'm sorry, i can't", "i'm unable to",
    "i am unable to", "i'm not able to", "i am not able to", "as an ai", "i cannot provide",
    "i can't provide", "i cannot fulfill", "i can't fulfill", "i must decline",
    "i won't be able to",
  ]
}
