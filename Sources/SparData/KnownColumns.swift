/// Columns that mean something to Spar under their own name.
public enum KnownColumns {
  /// Sums of log-probabilities, probabilities and labels.
  public static let numbers: Set<String> = [
    "chosen_probs", "chosen_probs_win", "chosen_probs_lose", "ref_chosen_logps",
    "ref_rejected_logps", "label", "score_chosen", "score_rejected", "index", "margin",
  ]

  public static let probabilities = ["chosen_probs", "chosen_probs_win", "chosen_probs_lose"]

  static func isNumber(_ name: String) -> Bool { numbers.contains(name) }
}
