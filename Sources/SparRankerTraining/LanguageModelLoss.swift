import Foundation

/// The auxiliary loss that keeps the transformer a language model: total = (1 − c) L + c L_lm.
///
/// Over all tokens of the chosen sequence, its prompt included, as in the authors' code.
public struct LanguageModelLoss: Equatable, Sendable, Codable {
  public enum Form: String, Codable, Sendable, CaseIterable {
    /// −ln σ(β Σ ln p)
    case sum = "sft-sum"
    /// −ln σ(β mean ln p)
    case mean = "sft-mean"
    /// −mean ln p
    case vanilla = "sft"
    /// −ln σ(β (mean ln p of chosen − mean ln p of rejected) − margin)
    case dpo = "dpo-ref-free"
  }

  public var form = Form.mean
  /// c; 0 = off.
  public var coefficient = 0.0
  public var beta = 2.0
  public var margin = 1.0

  public init() {}

  /// Loss, and its derivatives by the sums of the chosen and of the rejected sequence's
  /// log-probabilities, of n and m tokens.
  func value(
    chosen: Double, tokens n: Int, rejected: Double, tokens m: Int
  ) -> (loss: Double, chosen: Double, rejected: Double) {
    func lost(_ x: Double) -> Double { max(-x, 0) + log1p(exp(-abs(x))) }
    /// d/dx −ln σ(x)
    func slope(_ x: Double) -> Double { -1 / (1 + exp(x)) }
    let (n, m) = (Double(max(n, 1)), Double(max(m, 1)))
    switch form {
    case .vanilla: return (-chosen / n, -1 / n, 0)
    case .sum:
      let x = beta * chosen
      return (lost(x), slope(x) * beta, 0)
    case .mean:
      let x = beta * chosen / n
      return (lost(x), slope(x) * beta / n, 0)
    case .dpo:
      let x = beta * (chosen / n - rejected / m) - margin
      return (lost(x), slope(x) * beta / n, -slope(x) * beta / m)
    }
  }
}
