import CSparPlugin
import SparPluginKit

/// Direct Preference Optimization on one pair.
///
///     -(1 - ε) ln σ(β z) - ε ln σ(-β z),   z = log π/π_ref(chosen) - log π/π_ref(rejected)
///
/// ε > 0 is conservative DPO: the label is wrong with probability ε.
/// Source: Rafailov et al. 2023, arXiv:2305.18290, equation 7.
final class DPO: PairObjective {
  let beta: Double
  let smoothing: Double

  init(beta: Double, smoothing: Double) {
    self.beta = beta
    self.smoothing = smoothing
  }

  func pair(_ rows: PairRows) -> PairLoss {
    let x = beta * (rows.winner.logRatio - rows.loser.logRatio)
    let loss = -(1 - smoothing) * logLogistic(x) - smoothing * logLogistic(-x)
    // (1 - ε) - σ(x) written without the cancellation that a large x brings.
    let slope = -beta * ((1 - smoothing) * logistic(-x) - smoothing * logistic(x))
    return PairLoss(chosen: loss / 2, rejected: loss / 2, dChosen: slope, dRejected: -slope)
  }
}

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.dpo", name: "Direct Preference Optimization", version: "0.1.0",
  components: [
    pairObjective(
      id: "dpo", name: "DPO",
      doc: "Classifies pairs by log-ratio; beta is the strength of the KL penalty.",
      formula: "L = −(1 − ε) ln σ(βz) − ε ln σ(−βz), "
        + "z = log π/π_ref(w) − log π/π_ref(l), ε = label-smoothing",
      paper: "Rafailov et al. 2023, arXiv:2305.18290, equation 7",
      options: [
        Option(
          "beta", .float(0.1, 1e-6...1e3), unit: "per nat",
          "Weight of the KL penalty to the reference; scales log-ratios to rewards."),
        Option(
          "label-smoothing", .float(0, 0...0.5),
          "Probability that a preference is wrong (conservative DPO)."),
      ],
      needs: Int(SPAR_OBJ_REFERENCE),
      create: { host, info, out in
        construct(host, info, out) { options, _ in
          DPO(beta: options.float(0), smoothing: options.float(1))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
