import SparPreference
import Testing

/// The cycle 0 ≻ 1 ≻ 2 ≻ 0 of upstream.md §9.
let cycle: [Double] = [0, 1.2, -0.4, -0.9, 0, 0.7, 0.5, -1.1, 0]

func isClose(_ found: [Double], _ expected: [Double], _ tolerance: Double = 5.1e-8) -> Bool {
  found.count == expected.count
    && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
}

@Suite("Probability rules") struct ProbabilityRuleTests {
  @Test("S as upstream computes it") func scores() {
    #expect(isClose(ProbabilityRule.scores(raw: cycle, k: 3), [0.4, -0.1, -0.3], 1e-15))
  }

  @Test("upstream-table: compute_prob_from_raw, compute_score_from_raw") func upstreamTable()
    throws
  {
    let table = try WinTable(raw: cycle, k: 3, rule: .upstreamTable)
    #expect(isClose(table.logOdds, [0, 2.1, -0.9, -2.1, 0, 1.8, 0.9, -1.8, 0], 1e-12))
    #expect(
      isClose(
        table.probability,
        [0.5, 0.8909032, 0.2890505, 0.1090968, 0.5, 0.8581489, 0.7109495, 0.1418511, 0.5]))
    #expect(isClose(table.winRates, [0.5599846, 0.4890819, 0.4509335]))
    // The identity of §2.1: row means of W are S.
    #expect(isClose(table.meanScores, [0.4, -0.1, -0.3], 1e-12))
  }

  @Test("upstream-score: compute_prob") func upstreamScore() throws {
    let table = try WinTable(raw: cycle, k: 3, rule: .upstreamScore)
    #expect(
      isClose(
        table.probability,
        [0.5, 0.6224593, 0.6681878, 0.3775407, 0.5, 0.5498340, 0.3318122, 0.4501660, 0.5]))
    #expect(isClose(table.winRates, [0.5968824, 0.4757916, 0.4273261]))
    #expect(!table.isIntransitive)
  }

  @Test("mean-of-orders: half the log-odds of upstream-table, and the cycle stays") func mean()
    throws
  {
    let table = try WinTable(raw: cycle, k: 3, rule: .meanOfOrders)
    #expect(isClose(table.logOdds, [0, 1.05, -0.45, -1.05, 0, 0.9, 0.45, -0.9, 0], 1e-12))
    #expect(isClose([table.probability[2]], [0.3893608], 5e-7))
    #expect(table.isIntransitive)
    #expect(isClose(table.meanScores, [0.2, -0.05, -0.15], 1e-12))
  }

  @Test("an antisymmetric ranker's own log-odds are kept by mean-of-orders") func kept() throws {
    let raw = [0, 1.5, -1.5, 0]
    #expect(try WinTable(raw: raw, k: 2, rule: .meanOfOrders).logOdds == raw)
  }

  @Test("P(i, j) + P(j, i) = 1, at any size of score", arguments: ProbabilityRule.allCases)
  func complement(rule: ProbabilityRule) throws {
    for scale in [1e-300, 1, 40, 1e4, 1e300] {
      let table = try WinTable(raw: cycle.map { $0 * scale }, k: 3, rule: rule)
      for i in 0..<3 {
        for j in 0..<3 {
          let sum = table.probability[i * 3 + j] + table.probability[j * 3 + i]
          #expect(abs(sum - 1) < 1e-15, "scale \(scale)")
        }
      }
    }
  }

  @Test("names are those of the flag") func names() {
    #expect(
      ProbabilityRule.allCases.map(\.rawValue)
        == ["mean-of-orders", "upstream-table", "upstream-score"])
  }
}

@Suite("Win tables") struct WinTableTests {
  @Test("native probabilities are kept, their log-odds clamped") func native() throws {
    let table = try WinTable(probability: [0.5, 1, 0, 0.5], k: 2)
    #expect(table.probability == [0.5, 1, 0, 0.5])
    #expect(isClose(table.logOdds, [0, 20.7232658, -20.7232658, 0], 1e-6))
    let mild = try WinTable(probability: [0.5, 0.8, 0.2, 0.5], k: 2)
    #expect(isClose(mild.logOdds, [0, 1.3862944, -1.3862944, 0]))
    #expect(mild.scores[0] > mild.scores[1])
  }

  @Test("numbers that cannot be a table are refused with their place") func refused() {
    var raw = cycle
    raw[5] = .nan
    let error = #expect(throws: WinTableError.self) {
      try WinTable(raw: raw, k: 3, rule: .meanOfOrders)
    }
    guard case .value("raw score", 1, 2, let found)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found.isNaN)
    #expect(throws: WinTableError.value(of: "probability", i: 0, j: 1, found: 1.5)) {
      try WinTable(probability: [0.5, 1.5, -0.5, 0.5], k: 2)
    }
    #expect(throws: WinTableError.size(of: "raw score", found: 4, answers: 3)) {
      try WinTable(raw: [0, 1, 2, 3], k: 3, rule: .meanOfOrders)
    }
  }

  @Test("finite scores whose difference is not are refused") func overflow() {
    let huge = Double.greatestFiniteMagnitude
    #expect(throws: WinTableError.self) {
      try WinTable(raw: [0, huge, -huge, 0], k: 2, rule: .upstreamTable)
    }
  }

  @Test("a ranking by one score is never intransitive") func transitive() throws {
    let scores = [3.0, -1, 0, 7, 2]
    let raw = scores.flatMap { a in scores.map { a - $0 } }
    #expect(try !WinTable(raw: raw, k: 5, rule: .meanOfOrders).isIntransitive)
  }
}

@Suite("Repetition") struct RepetitionTests {
  @Test(
    "the share of runs that were there before",
    arguments: [
      ([1, 2, 3, 4, 5, 6], 0.0), ([1, 1, 1, 1, 1, 1], 2 / 3.0), ([1, 2, 3], 0.0),
      ([1, 2, 3, 4, 1, 2, 3, 4], 1 / 5.0), ([], 0.0),
    ] as [([Int32], Double)])
  func rate(ids: [Int32], expected: Double) {
    #expect(Repetition.rate(ids) == expected)
  }
}
