/// One answer of a group, as training sees it.
public struct TrainingAnswer: Equatable, Sendable {
  /// With the end token.
  public var ids: [Int32]
  /// log pi_ref(y|x), summed over `ids`, nats; nil until it is known.
  public var refLogp: Double?
  /// The same for each token; empty when only the sum is known.
  public var tokenRefLogps: [Float] = []
  /// Mean over all K answers of the prompt of P(this beats that one).
  public var winProb = 0.5
  /// Mean over all K answers of the log-odds that this beats that one.
  public var meanScore = 0.0
  /// +1 chosen, -1 rejected, 0 neither.
  public var label: Int8 = 0

  public init(
    ids: [Int32], refLogp: Double? = nil, winProb: Double = 0.5, meanScore: Double = 0,
    label: Int8 = 0
  ) {
    self.ids = ids
    self.refLogp = refLogp
    self.winProb = winProb
    self.meanScore = meanScore
    self.label = label
  }
}

/// One prompt and the answers that are trained on together; the prompt is forwarded once.
public struct TrainingGroup: Equatable, Sendable {
  /// Where it comes from: row of the preferences, or number of the pair in its file, from 0.
  public var row = 0
  public var promptIDs: [Int32]
  public var answers: [TrainingAnswer]
  /// P(i beats j), m x m row-major over `answers`.
  public var pairwise: [Double]
  /// Log-odds that i beats j, m x m row-major.
  public var score: [Double]
  /// What the objective is asked about it.
  public var terms = TrainingTerms.labels
  /// Further numbers of the group by name, one per answer.
  public var columns: [String: [Double]] = [:]

  /// Without tables all answers are equal: P = 1/2, log-odds 0.
  public init(
    promptIDs: [Int32], answers: [TrainingAnswer], pairwise: [Double]? = nil,
    score: [Double]? = nil
  ) {
    let cells = answers.count * answers.count
    self.promptIDs = promptIDs
    self.answers = answers
    self.pairwise = pairwise ?? Array(repeating: 0.5, count: cells)
    self.score = score ?? Array(repeating: 0, count: cells)
  }

  /// Rows in a packed forward pass: an answer's last token predicts nothing and has none.
  public var rows: Int {
    promptIDs.count + answers.reduce(0) { $0 + max($1.ids.count - 1, 0) }
  }

  /// Tokens that a trainer without shared prompts would attend to: prompt and answer, per answer.
  public var attendedTokens: Int {
    answers.reduce(0) { $0 + promptIDs.count + $1.ids.count }
  }

  public var answerTokens: Int { answers.reduce(0) { $0 + $1.ids.count } }
}
