/// s(v ≻ w) = Σ_l λ_l (v_2l w_2l+1 − v_2l+1 w_2l), exactly −s(w ≻ v).
///
/// ⟨R v, w⟩ with blocks [[0, −1], [1, 0]] scaled by λ.  Source: Zhang et al. 2024,
/// arXiv:2410.02197, equation 4.1; λ counts once, as in the authors' code.
public func skewProduct(_ v: [Double], _ w: [Double], weights: [Double]) -> Double {
  precondition(v.count == w.count && v.count == 2 * weights.count, "2 numbers for each weight")
  var sum = 0.0
  for (l, weight) in weights.enumerated() {
    sum += weight * (v[2 * l] * w[2 * l + 1] - v[2 * l + 1] * w[2 * l])
  }
  return sum
}

/// v/‖v‖, where ‖v‖ counts as at least 1e-12.
public func unitVector(_ v: [Double]) -> [Double] {
  let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
  return v.map { $0 / max(norm, 1e-12) }
}
