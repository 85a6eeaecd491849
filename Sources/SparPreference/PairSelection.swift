import SparStore

/// Which answers of a prompt are trained on as pairs.
///
/// Upstream takes argmax and argmin of S whatever they are; here empty, repeated and (on request)
/// cut-off answers are set aside first, pairs that could not be compared are never taken, and a
/// prompt whose scores say nothing gives no pair.
public struct PairSelection: Equatable, Sendable, Codable {
  public var rule = PairRule.bestWorst
  /// A pair's margin is above this, in the measure of the rule; 0 turns away exact ties only.
  public var minMargin = 0.0
  /// Set answers aside that reached the length limit without an end token.
  public var dropTruncated = false
  /// Of random pairs.
  public var seed: UInt64 = 42

  public init(
    minMargin: Double = 0, dropTruncated: Bool = false, rule: PairRule = .bestWorst,
    seed: UInt64 = 42
  ) {
    self.minMargin = minMargin
    self.dropTruncated = dropTruncated
    self.rule = rule
    self.seed = seed
  }

  /// An answer as far as selection looks at it.
  public struct Answer: Equatable, Sendable {
    public var text: String
    public var ids: [Int32]
    /// Whether an end token closed it.
    public var ended: Bool

    public init(text: String, ids: [Int32], ended: Bool) {
      self.text = text
      self.ids = ids
      self.ended = ended
    }

    var isEmpty: Bool { text.allSatisfy(\.isWhitespace) }
  }

  public struct Choice: Equatable, Sendable {
    /// `.kept` with a pair; `.empty`, `.overlong` (answers that did not end, only with
    /// `dropTruncated`) and `.duplicate` where fewer than two answers are left; `.failed` where no
    /// two of them could be compared; `.tie`.
    public var status: PreferenceStatus
    /// Indices of the two answers; nil unless `status` is `.kept`.
    public var chosen: Int?
    public var rejected: Int?
    /// Answers set aside, by reason.
    public var emptyAnswers = 0
    public var truncatedAnswers = 0
    public var duplicateAnswers = 0
  }

  /// The pair by `rule` among distinct non-empty answers; of equal ones, and of equal answers, the
  /// first index counts.
  ///
  /// - Parameter prompt: names the stream of a random pair.
  public func choose(_ table: WinTable, answers: [Answer], prompt: Int = 0) -> Choice {
    precondition(table.k == answers.count, "a table of all answers")
    var choice = Choice(status: .kept)
    let (written, whole, distinct) = eligible(answers)
    choice.emptyAnswers = answers.count - written.count
    choice.truncatedAnswers = written.count - whole.count
    choice.duplicateAnswers = whole.count - distinct.count

    guard distinct.count > 1 else {
      choice.status = written.count < 2 ? .empty : whole.count < 2 ? .overlong : .duplicate
      return choice
    }
    guard
      let pair = rule.pair(
        table, among: distinct, minMargin: minMargin, seed: seed, prompt: prompt)
    else {
      choice.status = .failed
      return choice
    }
    guard pair.margin > minMargin else {
      choice.status = .tie
      return choice
    }
    choice.chosen = pair.chosen
    choice.rejected = pair.rejected
    return choice
  }

  /// Every pair (chosen, rejected) among the answers that `choose` looks at whose scores differ by
  /// more than `minMargin` and that were compared; in order of their indices.
  ///
  /// - Parameter failed: K×K, empty = all were compared.
  public func pairs(
    scores: [Double], answers: [Answer], failed: [Bool] = []
  ) -> [(chosen: Int, rejected: Int)] {
    precondition(scores.count == answers.count, "one score for each answer")
    let distinct = eligible(answers).distinct
    var pairs: [(chosen: Int, rejected: Int)] = []
    for (place, i) in distinct.enumerated() {
      for j in distinct[(place + 1)...] where abs(scores[i] - scores[j]) > minMargin {
        guard failed.isEmpty || !failed[i * scores.count + j] else { continue }
        pairs.append(scores[i] > scores[j] ? (i, j) : (j, i))
      }
    }
    return pairs
  }

  /// Indices of answers that are not empty; of those that count as whole; of the first of each.
  private func eligible(
    _ answers: [Answer]
  ) -> (written: [Int], whole: [Int], distinct: [Int]) {
    let written = answers.indices.filter { !answers[$0].isEmpty }
    let whole = written.filter { !dropTruncated || answers[$0].ended }
    var texts: Set<String> = []
    var ids: Set<[Int32]> = []
    // Equal ids mean equal text; equal text may still be spelled in different ids.
    let distinct = whole.filter { index in
      let isNewText = texts.insert(answers[index].text).inserted
      return ids.insert(answers[index].ids).inserted && isNewText
    }
    return (written, whole, distinct)
  }
}
