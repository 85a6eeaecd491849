import Glibc
import SparDiagnostics

/// What a ranker says about the K answers of one prompt, under one probability rule.
///
/// Law: every entry is finite, P is in [0, 1], and the diagonals are 0 (W) and ½ (P).
public struct WinTable: Equatable, Sendable {
  /// K, the number of answers.
  public let k: Int
  /// W, K×K row-major: log-odds that i beats j.
  public let logOdds: [Double]
  /// P, K×K row-major: probability that i beats j.
  public let probability: [Double]
  /// S, one for each answer, in the ranker's own unit whatever the rule.
  public let scores: [Double]
  /// K×K: pairs that could not be compared, in both orders; W is 0 and P is ½ there.  Empty = none.
  public let failed: [Bool]

  /// Probabilities are kept this far from 0 and 1 before their log-odds are taken.
  public static let clamp = 1e-9

  /// From the raw scores M, K×K row-major.
  ///
  /// Failed pairs count as 0 in S and have no say in a rule that compares through S.
  ///
  /// - Parameter scores: S as the ranker's own program stored it; nil = the mean of `raw`.
  public init(
    raw: [Double], k: Int, rule: ProbabilityRule, failed: [Bool] = [], scores: [Double]? = nil
  ) throws(WinTableError) {
    try Self.check(raw, k, "raw score") { $0.isFinite }
    self.failed = failed
    var odds = rule.logOdds(raw: raw, k: k)
    for cell in failed.indices where failed[cell] { odds[cell] = 0 }
    logOdds = odds
    self.scores = scores ?? ProbabilityRule.scores(raw: raw, k: k)
    self.k = k
    // Finite scores of 1e308 can still overflow in a difference.
    try Self.check(logOdds, k, "log-odds") { $0.isFinite }
    probability = logOdds.map(ProbabilityRule.sigmoid)
  }

  /// From a ranker that gives probabilities P natively: they are kept, W = logit(P).
  public init(probability: [Double], k: Int, failed: [Bool] = []) throws(WinTableError) {
    try Self.check(probability, k, "probability") { $0 >= 0 && $0 <= 1 }
    self.failed = failed
    var kept = probability
    for i in 0..<k { kept[i * k + i] = 0.5 }
    logOdds = kept.map { p in
      let inside = min(max(p, Self.clamp), 1 - Self.clamp)
      return log(inside) - log1p(-inside)
    }
    self.probability = kept
    scores = ProbabilityRule.scores(raw: logOdds, k: k)
    self.k = k
  }

  /// From the scores S alone, for rankings of which nothing else was kept: W[i][j] = S[i] − S[j],
  /// the rule `upstream-score`.
  public init(scores: [Double]) throws(WinTableError) {
    let k = scores.count
    var odds = [Double](repeating: 0, count: k * k)
    for i in 0..<k {
      for j in 0..<k { odds[i * k + j] = scores[i] - scores[j] }
    }
    try Self.check(odds, k, "log-odds") { $0.isFinite }
    self.k = k
    self.scores = scores
    failed = []
    logOdds = odds
    probability = odds.map(ProbabilityRule.sigmoid)
  }

  private static func check(
    _ values: [Double], _ k: Int, _ quantity: String, _ allowed: (Double) -> Bool
  ) throws(WinTableError) {
    guard values.count == k * k else {
      throw WinTableError.size(of: quantity, found: values.count, answers: k)
    }
    if let at = values.firstIndex(where: { !allowed($0) }) {
      throw WinTableError.value(of: quantity, i: at / k, j: at % k, found: values[at])
    }
  }

  /// Whether answers i and j were compared.
  public func isCompared(_ i: Int, _ j: Int) -> Bool { failed.isEmpty || !failed[i * k + j] }

  /// Pairs i < j that could not be compared.
  public var failedPairs: Int { failed.count { $0 } / 2 }

  /// Mean over all K columns of W, the diagonal's 0 included.
  public var meanScores: [Double] { rowMeans(logOdds) }

  /// Mean over all K columns of P, the diagonal's ½ included.
  public var winRates: [Double] { rowMeans(probability) }

  private func rowMeans(_ table: [Double]) -> [Double] {
    (0..<k).map { i in table[(i * k)..<(i * k + k)].reduce(0, +) / Double(k) }
  }

  /// Whether some three answers beat one another in a circle.
  public var isIntransitive: Bool {
    !Tournament(k: k, probability: probability).cycles.isEmpty
  }
}

/// Numbers from a ranker that cannot be a preference table.
public enum WinTableError: Error, Equatable, Sendable, CustomStringConvertible {
  case size(of: String, found: Int, answers: Int)
  case value(of: String, i: Int, j: Int, found: Double)

  public var description: String {
    switch self {
    case .size(let quantity, let found, let answers):
      "the ranker gave \(found) \(quantity) values for \(answers) answers, "
        + "not \(answers * answers); run `spar plugin check` on it"
    case .value(let quantity, let i, let j, let found):
      "the ranker gave \(quantity) \(found) for answer \(i) against answer \(j); "
        + "run `spar plugin check` on it"
    }
  }
}
