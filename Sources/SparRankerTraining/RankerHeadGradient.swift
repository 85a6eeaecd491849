/// d s / d inputs of one comparison, for the raw outputs of the heads.
struct ScoreGradient {
  /// By the value head's output for the first and the second answer, [d] each.
  var first: [Double]
  var second: [Double]
  /// By the prompt head's output, [k]; empty without a gate.
  var gate: [Double]
}

extension RankerHead {
  /// The score of two answers from the heads' outputs, and its derivatives.
  ///
  /// ∂s/∂v_2l = λ_l w_2l+1 and so on; a norm passes (u − v (v·u))/‖x‖ on; a softmax gate passes
  /// λ_l (c_l − Σ λ_m c_m) on, c_l = ∂s/∂λ_l.
  func scoreAndGradient(
    _ x: [Double], _ y: [Double], gate g: [Double], width: Int
  ) -> (score: Double, gradient: ScoreGradient) {
    guard kind == .gpm else {
      return (x[0] - y[0], ScoreGradient(first: [1], second: [-1], gate: []))
    }
    let (v, w) = (embedding(x), embedding(y))
    let lambda = weights(g, width: width)
    var (dv, dw) = (
      [Double](repeating: 0, count: dimension), [Double](repeating: 0, count: dimension)
    )
    var products = [Double](repeating: 0, count: blocks)
    for l in 0..<blocks {
      products[l] = v[2 * l] * w[2 * l + 1] - v[2 * l + 1] * w[2 * l]
      dv[2 * l] = lambda[l] * w[2 * l + 1]
      dv[2 * l + 1] = -lambda[l] * w[2 * l]
      dw[2 * l] = -lambda[l] * v[2 * l + 1]
      dw[2 * l + 1] = lambda[l] * v[2 * l]
    }
    let score = zip(lambda, products).reduce(0) { $0 + $1.0 * $1.1 }
    return (
      score,
      ScoreGradient(
        first: throughNorm(dv, x, v), second: throughNorm(dw, y, w),
        gate: throughGate(products, lambda, width: width))
    )
  }

  private func throughNorm(_ u: [Double], _ x: [Double], _ v: [Double]) -> [Double] {
    guard normalises else { return u }
    let norm = max(x.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
    let along = zip(v, u).reduce(0) { $0 + $1.0 * $1.1 }
    return zip(u, v).map { ($0 - $1 * along) / norm }
  }

  private func throughGate(_ products: [Double], _ lambda: [Double], width: Int) -> [Double] {
    guard gate != .none else { return [] }
    // With λ = c softmax(g/r): dλ_l/dg_m = λ_l (δ_lm − λ_m/c)/r.
    let (c, r) = gate == .scaled ? (Double(blocks), Double(width).squareRoot()) : (1, 1)
    let mean = zip(lambda, products).reduce(0) { $0 + $1.0 * $1.1 } / c
    return zip(lambda, products).map { $0 * ($1 - mean) / r }
  }
}
