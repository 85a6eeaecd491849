import SparPluginKit

/// Self-Play Preference Optimization on one pair.
///
///     weight · [ (r_w - t_w)² + (r_l - t_l)² ]
///
/// r = log π/π_ref in nats, summed over completion tokens; the targets t say how sure the win is:
///
///     sppo         t = (P - ½)/β, P the answer's win rate over its group   weight ½
///     sppo-single  t = ±(P - ½)/β, P that chosen beats rejected            weight ½
///     sppo-hard    t = ±½/β, whatever the ranker says                      weight 1
///
/// Source: Wu et al. 2024, arXiv:2405.00675, Algorithm 1; the ½ follows the authors' trainer,
/// its absence in `sppo-hard` follows TRL.
final class SPPO: PairObjective {
  enum Target { case winRate, pair, hard }

  let target: Target
  let beta: Double

  init(_ target: Target, beta: Double) {
    self.target = target
    self.beta = beta
  }

  func pair(_ rows: PairRows) -> PairLoss {
    let (tw, tl) = targets(rows)
    let weight = target == .hard ? 1 : 0.5
    let w = rows.logRatio(rows.chosen) - tw
    let l = rows.logRatio(rows.rejected) - tl
    return PairLoss(
      chosen: weight * w * w, rejected: weight * l * l,
      dChosen: 2 * weight * w, dRejected: 2 * weight * l,
      metrics: [(abs(w) + abs(l), 2), (beta * beta * weight * (w * w + l * l), 1)])
  }

  private func targets(_ rows: PairRows) -> (chosen: Double, rejected: Double) {
    switch target {
    case .winRate:
      return ((rows.winRate(rows.chosen) - 0.5) / beta, (rows.winRate(rows.rejected) - 0.5) / beta)
    case .pair:
      let t = (rows.winProbability - 0.5) / beta
      return (t, -t)
    case .hard:
      return (0.5 / beta, -0.5 / beta)
    }
  }
}
