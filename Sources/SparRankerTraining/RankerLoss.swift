import Foundation

/// The loss of one comparison by its score s, the family of the authors' code.
///
///     pairwise     −[p ln σ(x) + (1 − p) ln σ(−x)],  x = (s − m)/τ
///     regression   ½ (s/τ − t)²
///
/// p = 1 unless the data know a probability, m = 0 unless margins are used, t the target.
/// Source: arXiv:2410.02197 and its code.
public struct RankerLoss: Equatable, Sendable, Codable {
  public enum Form: String, Codable, Sendable, CaseIterable {
    case pairwise
    case regression
  }

  public var form = Form.pairwise
  /// τ; where it is learned, this is not read.
  public var tau = 0.1
  /// τ = max(softplus(p), 0.01) with a trained number p that starts at `initialTau`.
  public var learnsTau = false
  /// Whether the margins of the data count.
  public var usesMargin = false
  /// t of the regression without margins.
  public var regressionTarget = 10.0

  public init() {}

  /// softplus(−2.25) ≈ 0.1002
  static let initialTau = -2.25

  /// τ and dτ/dp of the trained number.
  static func tau(of p: Double) -> (value: Double, slope: Double) {
    let value = p > 30 ? p : log1p(exp(p))
    return value > 0.01 ? (value, 1 / (1 + exp(-p))) : (0.01, 0)
  }

  struct Value {
    var loss: Double
    /// d loss / d s
    var slope: Double
    /// d loss / d τ
    var tauSlope: Double
    /// σ(x), which logs show as `prob`.
    var probability: Double
  }

  /// - Parameters:
  ///   - blended: true for heads whose regression subtracts the margin (d > 2, or a gate); the
  ///     others aim at 5σ(m).
  func value(
    _ s: Double, margin: Double, probability p: Double, tau: Double, blended: Bool
  ) -> Value {
    let m = usesMargin ? margin : 0
    switch form {
    case .pairwise:
      let x = (s - m) / tau
      // ln σ(x) = −ln(1 + e^−x), in a form without overflow.
      func lost(_ x: Double) -> Double { max(-x, 0) + log1p(exp(-abs(x))) }
      let sigma = 1 / (1 + exp(-x))
      let slope = sigma - p
      return Value(
        loss: p * lost(x) + (1 - p) * lost(-x), slope: slope / tau,
        tauSlope: -slope * x / tau, probability: sigma)
    case .regression:
      let subtracts = usesMargin && (blended || learnsTau)
      let target =
        !usesMargin ? regressionTarget : subtracts ? 0 : 5 / (1 + exp(-m))
      let x = (subtracts ? s - m : s) / tau
      let rest = x - target
      return Value(
        loss: rest * rest / 2, slope: rest / tau, tauSlope: -rest * x / tau,
        probability: 1 / (1 + exp(-s / tau)))
    }
  }
}
