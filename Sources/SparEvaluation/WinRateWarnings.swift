import Foundation

extension WinRateReport {
  /// From which change on a warning is given.  Chosen so that two samples of one model on 100
  /// prompts rarely cross them.
  public enum Threshold {
    /// Mean length of the policy's answers over the base's.
    public static let growth = 1.25
    public static let shrinkage = 0.75
    /// Repetition rate over the base's, and the least rise that counts.
    public static let repetitionRatio = 1.5
    public static let repetitionRise = 0.02
    /// How far the share of ended answers may fall.
    public static let endedFall = 0.1
    /// How far the length-matched win rate may lie below the win rate.
    public static let lengthMatchedGap = 0.05
    /// Fewest prompts, and fewest with pairs of similar length, for a figure worth quoting.
    public static let prompts = 50
    public static let matchedPrompts = 20
    /// Share of equal answers from which the two models are hardly different.
    public static let identical = 0.5
    public static let empty = 0.05
  }

  /// Reasons to doubt that a higher win rate means better answers, in plain language.
  func findWarnings() -> [String] {
    var found: [String] = []
    func percent(_ share: Double) -> String { String(format: "%.0f %%", 100 * share) }

    if let failedPrompts {
      found.append(
        "\(failedPrompts) prompts are left out: the ranker could not compare their answers")
    }
    if n < Threshold.prompts {
      found.append(
        "only \(n) prompts: the interval is wide; use \(Threshold.prompts) or more")
    }
    if interval.contains(0.5) {
      found.append("the interval contains 50 %: no difference is shown")
    }
    if identicalRate >= Threshold.identical {
      found.append(
        "\(percent(identicalRate)) of the compared answers are equal: "
          + "the policy hardly differs from the base")
    }
    if base.meanTokens > 0 {
      let growth = policy.meanTokens / base.meanTokens
      let lengths = String(format: "(%.1f to %.1f tokens)", base.meanTokens, policy.meanTokens)
      if growth >= Threshold.growth {
        found.append(
          "answers grew by \(percent(growth - 1)) \(lengths): the ranker may be rewarding length; "
            + "look at the length-matched win rate")
      } else if growth <= Threshold.shrinkage {
        found.append(
          "answers shrank by \(percent(1 - growth)) \(lengths): the ranker may be rewarding "
            + "brevity; look at the length-matched win rate")
      }
    }
    if policy.repetition - base.repetition >= Threshold.repetitionRise,
      policy.repetition >= Threshold.repetitionRatio * base.repetition
    {
      found.append(
        "repetition rose from \(percent(base.repetition)) to \(percent(policy.repetition)) of "
          + "4-token runs: the ranker may be rewarding it")
    }
    if base.ended - policy.ended >= Threshold.endedFall {
      found.append(
        "answers that end by themselves fell from \(percent(base.ended)) to "
          + "\(percent(policy.ended)): the policy is losing its end token")
    }
    if policy.empty - base.empty >= Threshold.empty {
      found.append(
        "empty answers rose from \(percent(base.empty)) to \(percent(policy.empty))")
    }
    if let lengthMatched, lengthMatched.n >= Threshold.matchedPrompts {
      if value - lengthMatched.value >= Threshold.lengthMatchedGap {
        found.append(
          "among answers of similar length the win rate is \(percent(lengthMatched.value)), not "
            + "\(percent(value)): part of the gain is length")
      }
    } else {
      found.append(
        "only \(lengthMatched?.n ?? 0) prompts have answers of similar length: "
          + "the effect of length cannot be judged")
    }
    return found
  }
}
