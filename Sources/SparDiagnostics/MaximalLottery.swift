/// The mixture of answers that no answer beats on average: a Nash equilibrium of the symmetric
/// zero-sum game with payoff P − ½.
///
/// Where one answer beats all others it gets weight 1; on a symmetric circle all get equal weight.
/// Source: Fishburn 1984, "Probabilistic social choice based on simple voting comparisons"; Munos
/// et al. 2024, arXiv:2312.00886.
public struct MaximalLottery: Equatable, Sendable {
  /// [K], not negative, sum 1.
  public let weights: [Double]
  /// What the best answer wins against the mixture beyond ½: 0 up to rounding at an equilibrium.
  public let exploitability: Double

  /// Solves the game as a linear program with the simplex method.
  ///
  /// With A = P + ½ > 0: maximize Σ u subject to A u ≤ 1, u ≥ 0; weights are u / Σ u for the column
  /// player, whose strategies are also the row player's since the game is symmetric.  Bland's rule
  /// ends it; cost O(K³) for each prompt.
  public init(_ tournament: Tournament) {
    let k = tournament.k
    guard k > 0 else {
      weights = []
      exploitability = 0
      return
    }
    var tableau = SimplexTableau(k: k) { i, j in
      // The column player loses what the row player wins: row i's payoff against column j.
      i == j ? 1 : tournament.probability[i * k + j] + 0.5
    }
    tableau.solve()
    let sum = tableau.solution.reduce(0, +)
    let weights = tableau.solution.map { $0 / sum }
    self.weights = weights
    exploitability =
      (0..<k).map { i in
        (0..<k).reduce(0.0) { $0 + (tournament.probability[i * k + $1] - 0.5) * weights[$1] }
      }.max() ?? 0
  }
}

/// max Σ u, A u ≤ 1, u ≥ 0 for a positive K×K matrix A, from the basis of slacks.
private struct SimplexTableau {
  private let k: Int
  /// Rows 0 ..< K: [A | I | 1]; row K: reduced costs.
  private var rows: [[Double]]
  /// Which variable is basic in each row.
  private var basis: [Int]

  init(k: Int, _ entry: (Int, Int) -> Double) {
    self.k = k
    rows = (0..<k).map { i in
      (0..<k).map { entry(i, $0) } + (0..<k).map { $0 == i ? 1 : 0 } + [1]
    }
    rows.append([Double](repeating: -1, count: k) + [Double](repeating: 0, count: k + 1))
    basis = Array(k..<(2 * k))
  }

  var solution: [Double] {
    var values = [Double](repeating: 0, count: k)
    for (row, variable) in basis.enumerated() where variable < k {
      values[variable] = max(0, rows[row][2 * k])
    }
    return values
  }

  mutating func solve() {
    let tolerance = 1e-12
    // Bland's rule visits no basis twice; the bound only guards against rounding.
    for _ in 0..<(200 * (k + 1)) {
      guard let column = (0..<(2 * k)).first(where: { rows[k][$0] < -tolerance }) else { return }
      var pivot: Int?
      var least = Double.infinity
      for row in 0..<k where rows[row][column] > tolerance {
        let ratio = rows[row][2 * k] / rows[row][column]
        if ratio < least - tolerance
          || (ratio < least + tolerance && pivot.map { basis[row] < basis[$0] } ?? true)
        {
          (pivot, least) = (row, min(ratio, least))
        }
      }
      guard let pivot else { return }
      enter(column, at: pivot)
    }
  }

  private mutating func enter(_ column: Int, at pivot: Int) {
    let divisor = rows[pivot][column]
    for i in rows[pivot].indices { rows[pivot][i] /= divisor }
    for row in rows.indices where row != pivot && rows[row][column] != 0 {
      let factor = rows[row][column]
      for i in rows[row].indices { rows[row][i] -= factor * rows[pivot][i] }
    }
    basis[pivot] = column
  }
}
