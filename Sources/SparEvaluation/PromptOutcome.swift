import SparPreference

/// How the policy's answers to one prompt did against the base's.
public struct PromptOutcome: Equatable, Sendable, Codable {
  /// The prompt's id in its file.
  public var prompt: String
  /// Mean over all pairs (policy answer, base answer) of 1 for P > ½, ½ for P = ½, 0 for less.
  public var win: Double
  /// Mean of P over the same pairs.
  public var probability: Double
  public var pairs: Int
  /// Pairs with P = ½.
  public var ties: Int
  /// Pairs of equal text.
  public var identical: Int
  /// The win over the pairs of similar length alone; nil where there are none.
  public var matchedWin: Double?
  public var matchedPairs: Int

  /// Two lengths are similar when they differ by at most this share of the longer one.
  public static let lengthTolerance = 0.15

  /// An answer as far as the comparison looks at it.
  public struct Answer: Equatable, Sendable {
    public var text: String
    /// Length in tokens.
    public var tokens: Int

    public init(text: String, tokens: Int) {
      self.text = text
      self.tokens = tokens
    }
  }

  /// `table` ranks the policy's answers, then the base's, as one group.
  public init(prompt: String, table: WinTable, policy: [Answer], base: [Answer]) {
    precondition(table.k == policy.count + base.count, "the table ranks both sides")
    precondition(!policy.isEmpty && !base.isEmpty, "both sides have answers")
    self.prompt = prompt
    pairs = policy.count * base.count
    ties = 0
    identical = 0
    matchedPairs = 0
    var (wins, chances, matchedWins) = (0.0, 0.0, 0.0)
    for (i, ours) in policy.enumerated() {
      for (j, theirs) in base.enumerated() {
        let p = table.probability[i * table.k + policy.count + j]
        let win = p > 0.5 ? 1 : p == 0.5 ? 0.5 : 0
        wins += win
        chances += p
        if win == 0.5 { ties += 1 }
        if ours.text == theirs.text { identical += 1 }
        if Self.isSimilar(ours.tokens, theirs.tokens) {
          matchedWins += win
          matchedPairs += 1
        }
      }
    }
    win = wins / Double(pairs)
    probability = chances / Double(pairs)
    matchedWin = matchedPairs == 0 ? nil : matchedWins / Double(matchedPairs)
  }

  static func isSimilar(_ a: Int, _ b: Int) -> Bool {
    Double(abs(a - b)) <= lengthTolerance * Double(max(a, b))
  }
}
