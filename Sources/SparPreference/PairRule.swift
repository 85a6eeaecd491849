import SparDiagnostics
import SparTensor

/// Which pair of a prompt's answers is chosen (`--pair-rule`).
public enum PairRule: String, CaseIterable, Sendable, Codable {
  /// argmax S against argmin S, the published way.  Margin: S_w − S_l.
  case bestWorst = "best-worst"
  /// The pair that the ranker is surest about.  Margin: W(w, l).
  case maxMargin = "max-margin"
  /// The answer with most weight in the maximal lottery against the one that the lottery beats most
  /// often: for preferences that run in circles.  Margin: the difference of their win rates
  /// against the lottery.
  case nash
  /// Any pair whose margin W is large enough, by the selection's seed; the more probable winner is
  /// chosen.
  case random
}

/// An ordered pair of answers, and by how much the first is better in the rule's own measure.
struct RatedPair {
  var chosen: Int
  var rejected: Int
  var margin: Double
}

extension PairRule {
  /// The pair among `answers` (indices, in order), or nil where none of them were compared.
  func pair(
    _ table: WinTable, among answers: [Int], minMargin: Double, seed: UInt64, prompt: Int
  ) -> RatedPair? {
    switch self {
    case .bestWorst: bestWorst(table, answers)
    case .maxMargin: Self.best(answers, table) { table.logOdds[$0 * table.k + $1] }
    case .nash: nash(table, answers)
    case .random: random(table, answers, minMargin, seed: seed, prompt: prompt)
    }
  }

  /// The compared pair with the greatest margin; of equal ones the first.
  private static func best(
    _ answers: [Int], _ table: WinTable, _ margin: (Int, Int) -> Double
  ) -> RatedPair? {
    var best: RatedPair?
    for i in answers {
      for j in answers where i != j && table.isCompared(i, j) {
        let found = margin(i, j)
        if best.map({ found > $0.margin }) ?? true {
          best = RatedPair(chosen: i, rejected: j, margin: found)
        }
      }
    }
    return best
  }

  private func bestWorst(_ table: WinTable, _ answers: [Int]) -> RatedPair? {
    let scores = table.scores
    guard let first = answers.first, answers.count > 1 else { return nil }
    var (best, worst) = (first, first)
    for index in answers.dropFirst() {
      if scores[index] > scores[best] { best = index }
      if scores[index] < scores[worst] { worst = index }
    }
    if best != worst, table.isCompared(best, worst) {
      return RatedPair(chosen: best, rejected: worst, margin: scores[best] - scores[worst])
    }
    // Where that pair was not compared, the one that differs most of those that were.
    return Self.best(answers, table) { scores[$0] - scores[$1] }
  }

  private func nash(_ table: WinTable, _ answers: [Int]) -> RatedPair? {
    let n = answers.count
    let game = Tournament(
      k: n,
      probability: answers.flatMap { i in answers.map { table.probability[i * table.k + $0] } })
    let weights = MaximalLottery(game).weights
    let rates = (0..<n).map { i in
      (0..<n).reduce(0.0) { $0 + weights[$1] * game.probability[i * n + $1] }
    }
    guard let top = (0..<n).max(by: { (weights[$0], -$0) < (weights[$1], -$1) }) else { return nil }
    let others = (0..<n).filter { $0 != top && table.isCompared(answers[top], answers[$0]) }
    guard let last = others.min(by: { (rates[$0], $0) < (rates[$1], $1) }) else { return nil }
    return RatedPair(
      chosen: answers[top], rejected: answers[last], margin: rates[top] - rates[last])
  }

  private func random(
    _ table: WinTable, _ answers: [Int], _ minMargin: Double, seed: UInt64, prompt: Int
  ) -> RatedPair? {
    var pairs: [RatedPair] = []
    for i in answers {
      for j in answers where table.isCompared(i, j) {
        let margin = table.logOdds[i * table.k + j]
        if margin > minMargin { pairs.append(RatedPair(chosen: i, rejected: j, margin: margin)) }
      }
    }
    guard !pairs.isEmpty else { return Self.best(answers, table) { _, _ in 0 } }
    var random = Random(seed: seed, stage: .shuffle, item: prompt)
    return pairs[Int(random.next() % UInt64(pairs.count))]
  }
}
