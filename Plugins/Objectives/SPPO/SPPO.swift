import SparPluginKit

/// Self-Play Preference Optimization on one pair, or on one answer.
///
///     weight · [ (r_w - t_w)² + (r_l - t_l)² ]
///
/// r = log π/π_ref in nats, summed over completion tokens; the targets t say how sure the win is:
///
///     sppo         t = (P - ½)/β, P the answer's win rate over its group   weight ½
///     sppo-single  t = ±(P - ½)/β, P that chosen beats rejected            weight ½
///     sppo-hard    t = ±½/β, whatever the ranker says                      weight 1
///
/// The target of `sppo` needs no opponent: over all K answers its loss is the mean of (r - t)²,
/// an estimate of the paper's expectation over answers of π_t.
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
    let w = rows.winner.logRatio - tw
    let l = rows.loser.logRatio - tl
    return PairLoss(
      chosen: weight * w * w, rejected: weight * l * l,
      dChosen: 2 * weight * w, dRejected: 2 * weight * l,
      metrics: [(abs(w) + abs(l), 2), (beta * beta * weight * (w * w + l * l), 1)])
  }

  func answer(_ row: AnswerRow) -> AnswerLoss? {
    guard target == .winRate else { return nil }
    let residual = row.logRatio - winRateTarget(row)
    let value = residual * residual
    return AnswerLoss(
      value: value, derivative: 2 * residual,
      metrics: [(abs(residual), 1), (beta * beta * value, 1)])
  }

  private func winRateTarget(_ row: AnswerRow) -> Double { (row.winRate - 0.5) / beta }

  private func targets(_ rows: PairRows) -> (chosen: Double, rejected: Double) {
    switch target {
    case .winRate:
      return (winRateTarget(rows.winner), winRateTarget(rows.loser))
    case .pair:
      let t = (rows.winProbability - 0.5) / beta
      return (t, -t)
    case .hard:
      return (0.5 / beta, -0.5 / beta)
    }
  }
}
