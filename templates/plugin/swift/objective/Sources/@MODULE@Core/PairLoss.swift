/// The loss of one pair of answers.
///
/// For a chosen answer w and a rejected answer l of one prompt, with
/// r = log π(y|x) − log π_ref(y|x) in nats, summed over the tokens of the answer:
///
///     margin = r_w − r_l
///     loss   = (margin − 1/(2τ))²
///
/// which pulls the margin to 1/(2τ) and, unlike a logistic loss, back when it is beyond.
/// Source: Azar et al. 2023, arXiv:2310.12036, equation 17.
public struct PairLoss: Sendable {
  /// Pull towards the reference, in 1/nat.
  public var tau: Double

  public init(tau: Double) {
    self.tau = tau
  }

  /// The loss and its derivative by the margin.  Change both together: the test compares them by
  /// finite differences.
  public func callAsFunction(margin: Double) -> (value: Double, slope: Double) {
    let miss = margin - 0.5 / tau
    return (miss * miss, 2 * miss)
  }
}
