import Glibc

/// How win probabilities come from a ranker's raw scores (`--probability_rule`).
///
/// M[i][j] is the raw score of i shown first and j second, K×K row-major, above zero if i is
/// better.  W are log-odds, P = σ(W).
public enum ProbabilityRule: String, CaseIterable, Sendable, Codable {
  /// W[i][j] = ½ (M[i][j] − M[j][i]): the mean of both orders.
  case meanOfOrders = "mean-of-orders"
  /// W[i][j] = M[i][j] − M[j][i]: upstream's tables "from raw", which double the log-odds of an
  /// antisymmetric ranker.
  case upstreamTable = "upstream-table"
  /// W[i][j] = S[i] − S[j], S[i] = mean over j of M[i][j] − M[j][i]: upstream's `compute_prob`,
  /// in which a pair's probability depends on third answers.
  case upstreamScore = "upstream-score"

  /// Log-odds W, K×K row-major; exactly antisymmetric with a zero diagonal.
  public func logOdds(raw: [Double], k: Int) -> [Double] {
    precondition(raw.count == k * k, "\(raw.count) raw scores for \(k) answers")
    var odds = [Double](repeating: 0, count: k * k)
    let scores = self == .upstreamScore ? Self.scores(raw: raw, k: k) : []
    for i in 0..<k {
      for j in 0..<k where i != j {
        odds[i * k + j] =
          switch self {
          case .meanOfOrders: (raw[i * k + j] - raw[j * k + i]) / 2
          case .upstreamTable: raw[i * k + j] - raw[j * k + i]
          case .upstreamScore: scores[i] - scores[j]
          }
      }
    }
    return odds
  }

  /// S[i] = (1/K) Σ_j (M[i][j] − M[j][i]), the score by which pairs are chosen under every rule.
  /// Source: LLM-Blender's "max_logits" aggregation; the diagonal counts as 0, the divisor is K.
  public static func scores(raw: [Double], k: Int) -> [Double] {
    precondition(raw.count == k * k, "\(raw.count) raw scores for \(k) answers")
    return (0..<k).map { i in
      (0..<k).reduce(0.0) { $0 + raw[i * k + $1] - raw[$1 * k + i] } / Double(k)
    }
  }

  /// σ(x) without overflow on either side.
  public static func sigmoid(_ x: Double) -> Double {
    guard x < 0 else { return 1 / (1 + exp(-x)) }
    let e = exp(x)
    return e / (1 + e)
  }
}
