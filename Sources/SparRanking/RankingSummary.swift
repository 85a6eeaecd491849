import Foundation
import SparDiagnostics
import SparPreference

/// What a ranking came to: how many pairs, how sure, and what the ranker seems to reward.
///
/// A ranker that is being gamed shows here first: scores that follow length, chosen answers that
/// are longer or repeat themselves more than the rejected ones.
public struct RankingSummary: Equatable, Sendable, Codable {
  public var prompts = 0
  public var answers = 0
  /// Prompts that gave a pair, and those that did not, by reason.
  public var pairs = 0
  public var ties = 0
  public var duplicatePrompts = 0
  public var emptyPrompts = 0
  public var truncatedPrompts = 0
  public var failedPrompts = 0
  /// Answers set aside, by reason.
  public var emptyAnswers = 0
  public var duplicateAnswers = 0
  public var truncatedAnswers = 0
  /// Pairs of answers that the ranker could not compare, and answers that it has not read whole.
  public var failedPairs = 0
  public var partlyReadAnswers = 0

  /// Mean S of the chosen and of the rejected answers, in the ranker's unit.
  public var chosenScore: Double?
  public var rejectedScore: Double?
  /// Mean P(chosen beats rejected); may be below ½ where preferences are cyclic.
  public var chosenBeatsRejected: Double?
  /// Share of prompts with three answers or more that hold a circle a ≻ b ≻ c ≻ a.
  public var intransitiveRate: Double?
  /// Pearson correlation, over all answers, of S with length in tokens, both as differences from
  /// their prompt's mean; nil where either never varies.
  public var scoreLengthCorrelation: Double?
  /// Mean lengths in tokens.
  public var chosenLength: Double?
  public var rejectedLength: Double?
  /// Mean share of repeated runs of four tokens (`Repetition.rate`).
  public var chosenRepetition: Double?
  public var rejectedRepetition: Double?

  public init() {}

  /// The summary as lines of plain text.
  public var lines: [String] {
    var lines = [
      "\(pairs) pairs from \(prompts) prompts (\(answers) answers); without a pair: \(ties) ties, "
        + "\(duplicatePrompts) with equal answers, \(emptyPrompts) empty, "
        + "\(truncatedPrompts) cut off, \(failedPrompts) failed"
    ]
    if failedPairs > 0 {
      lines.append("\(failedPairs) pairs of answers could not be compared; none is trained on")
    }
    if partlyReadAnswers > 0 {
      lines.append("\(partlyReadAnswers) answers were longer than the ranker reads")
    }
    if let chosenBeatsRejected, let chosenScore, let rejectedScore {
      lines.append(
        "P(chosen beats rejected) \(decimal(chosenBeatsRejected)); score of chosen "
          + "\(decimal(chosenScore)), of rejected \(decimal(rejectedScore))")
    }
    if let chosenLength, let rejectedLength, let chosenRepetition, let rejectedRepetition {
      lines.append(
        "tokens: chosen \(decimal(chosenLength, 1)), rejected \(decimal(rejectedLength, 1)); "
          + "repetition: chosen \(decimal(chosenRepetition)), "
          + "rejected \(decimal(rejectedRepetition))")
    }
    if let scoreLengthCorrelation {
      lines.append("correlation of score with length \(decimal(scoreLengthCorrelation, 2))")
    }
    if let intransitiveRate {
      lines.append("prompts with circular preferences \(decimal(100 * intransitiveRate, 1)) %")
    }
    return lines
  }

  private func decimal(_ value: Double, _ places: Int = 3) -> String {
    String(format: "%.\(places)f", value)
  }
}

/// Adds prompts up to a `RankingSummary`.
struct RankingTally {
  private var summary = RankingSummary()
  private var chosenScore = Mean()
  private var rejectedScore = Mean()
  private var chosenBeatsRejected = Mean()
  private var intransitive = Mean()
  private var chosenLength = Mean()
  private var rejectedLength = Mean()
  private var chosenRepetition = Mean()
  private var rejectedRepetition = Mean()
  private var scoreLength = LengthCorrelation()

  mutating func add(
    _ table: WinTable, _ choice: PairSelection.Choice, answers: [PairSelection.Answer],
    truncated: Int = 0
  ) {
    summary.prompts += 1
    summary.answers += answers.count
    summary.emptyAnswers += choice.emptyAnswers
    summary.duplicateAnswers += choice.duplicateAnswers
    summary.truncatedAnswers += choice.truncatedAnswers
    switch choice.status {
    case .kept: summary.pairs += 1
    case .tie: summary.ties += 1
    case .duplicate: summary.duplicatePrompts += 1
    case .empty: summary.emptyPrompts += 1
    case .overlong: summary.truncatedPrompts += 1
    case .failed: summary.failedPrompts += 1
    }
    summary.failedPairs += table.failedPairs
    summary.partlyReadAnswers += truncated
    if table.k > 2 { intransitive.add(table.isIntransitive ? 1 : 0) }
    scoreLength.add(scores: table.scores, lengths: answers.map { Double($0.ids.count) })
    guard let chosen = choice.chosen, let rejected = choice.rejected else { return }
    chosenScore.add(table.scores[chosen])
    rejectedScore.add(table.scores[rejected])
    chosenBeatsRejected.add(table.probability[chosen * table.k + rejected])
    chosenLength.add(Double(answers[chosen].ids.count))
    rejectedLength.add(Double(answers[rejected].ids.count))
    chosenRepetition.add(Repetition.rate(answers[chosen].ids))
    rejectedRepetition.add(Repetition.rate(answers[rejected].ids))
  }

  var total: RankingSummary {
    var result = summary
    result.chosenScore = chosenScore.value
    result.rejectedScore = rejectedScore.value
    result.chosenBeatsRejected = chosenBeatsRejected.value
    result.intransitiveRate = intransitive.value
    result.chosenLength = chosenLength.value
    result.rejectedLength = rejectedLength.value
    result.chosenRepetition = chosenRepetition.value
    result.rejectedRepetition = rejectedRepetition.value
    result.scoreLengthCorrelation = scoreLength.value
    return result
  }
}
