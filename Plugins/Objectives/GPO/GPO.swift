import CSparPlugin
import Glibc
import SparPluginKit

/// General Preference Optimization on one pair, or on one answer.
///
///     ½ [ (|y_w|^-γ r_w - s̄_w/β)² + (|y_l|^-γ r_l - s̄_l/β)² ]
///
/// r = log π/π_ref in nats, summed over the answer's |y| tokens; s̄ is the mean log-odds of an
/// answer against all K of its group; γ = 0 leaves sums as they are.  log Z is taken as 0.  Over
/// all K answers the loss is the mean of their squares.
/// Source: Zhang et al. 2024, arXiv:2410.02197, section 5.
final class GPO: PairObjective {
  let beta: Double
  let clamp: Double
  let exponent: Double

  init(beta: Double, clamp: Double, exponent: Double) {
    self.beta = beta
    self.clamp = clamp
    self.exponent = exponent
  }

  func pair(_ rows: PairRows) -> PairLoss {
    let w = residual(rows.winner)
    let l = residual(rows.loser)
    let value = (w.value * w.value + l.value * l.value) / 2
    return PairLoss(
      chosen: w.value * w.value / 2, rejected: l.value * l.value / 2,
      dChosen: w.value * w.scale, dRejected: l.value * l.scale,
      metrics: [
        (abs(w.value) + abs(l.value), 2),
        (beta * beta * value, 1),
        ((w.clamped ? 1 : 0) + (l.clamped ? 1 : 0), 2),
      ])
  }

  func answer(_ row: AnswerRow) -> AnswerLoss? {
    let y = residual(row)
    return AnswerLoss(
      value: y.value * y.value, derivative: 2 * y.value * y.scale,
      metrics: [
        (abs(y.value), 1), (beta * beta * y.value * y.value, 1), (y.clamped ? 1 : 0, 1),
      ])
  }

  /// The distance from the target, what the log-ratio is multiplied with in it, and whether the
  /// target met its clamp.
  private func residual(_ row: AnswerRow) -> (value: Double, scale: Double, clamped: Bool) {
    let scale = exponent == 0 ? 1 : pow(Double(max(row.tokens, 1)), -exponent)
    let target = row.meanScore / beta
    let clamped = clamp > 0 && abs(target) > clamp
    let kept = clamped ? max(-clamp, min(clamp, target)) : target
    return (scale * row.logRatio - kept, scale, clamped)
  }
}

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.gpo", name: "General Preference Optimization", version: "0.1.0",
  components: [
    pairObjective(
      id: "gpo", name: "GPO",
      doc: "Regresses log-ratios to mean scores divided by beta; beta is 1/eta, near 0.001.",
      formula: "L = ½ Σ_{y = w, l} (|y|^−γ log π/π_ref(y) − s_y/β)², s_y = mean over j ≤ K of "
        + "W(y, y_j), γ = length-normalisation; all-answers: mean over all y",
      paper: "Zhang et al. 2024, arXiv:2410.02197, section 5",
      options: [
        Option("beta", .float(1e-3, 1e-9...1e3), "1/eta: the target is mean score / beta."),
        Option(
          "target-clamp", .float(0, 0...1e12), unit: "nats",
          "Largest |target|; 0 switches the clamp off."),
        Option(
          "length-normalisation", .float(0, 0...2),
          "Exponent g: log-ratios are divided by tokens^g; 0 is off, 1 is the mean per token."),
      ],
      needs: Int(SPAR_OBJ_REFERENCE | SPAR_OBJ_SCORE | SPAR_OBJ_ANSWERS),
      metrics: ["target_residual", "normalised_loss", "clamp_rate"],
      create: { host, info, out in
        construct(host, info, out) { options, _ in
          GPO(beta: options.float(0), clamp: options.float(1), exponent: options.float(2))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
