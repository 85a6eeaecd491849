import SparPreference
import SparTensor
import Testing

@Suite("Pair rules") struct PairRuleTests {
  private let texts = (0..<4).map {
    PairSelection.Answer(text: "answer \($0)", ids: [Int32($0)], ended: true)
  }

  /// Three answers in a circle that all beat the last one, 2 beating it most.
  private func circle(failed: [Bool] = []) throws -> WinTable {
    try WinTable(
      raw: [
        0, 1, -0.5, 2,
        -1, 0, 0.7, 2,
        0.5, -0.7, 0, 3,
        -2, -2, -3, 0,
      ], k: 4, rule: .meanOfOrders, failed: failed)
  }

  @Test("the surest pair, the best against the worst of the lottery") func rules() throws {
    let table = try circle()
    let best = PairSelection(rule: .bestWorst).choose(table, answers: texts)
    #expect(best.chosen == 2 && best.rejected == 3)
    let sure = PairSelection(minMargin: 2.9, rule: .maxMargin).choose(table, answers: texts)
    #expect(sure.chosen == 2 && sure.rejected == 3)
    #expect(
      PairSelection(minMargin: 3, rule: .maxMargin).choose(table, answers: texts).status == .tie)
    let nash = PairSelection(rule: .nash).choose(table, answers: texts)
    #expect(nash.status == .kept && nash.rejected == 3)
    // The lottery is over the circle alone: the chosen one beats whom the other two beat least.
    let chosen = try #require(nash.chosen)
    #expect(chosen != 3)
  }

  @Test("on a plain circle no answer is worse against the lottery: a tie") func tie() throws {
    let table = try WinTable(
      raw: [0, 1, -1, -1, 0, 1, 1, -1, 0], k: 3, rule: .meanOfOrders)
    let choice = PairSelection(minMargin: 1e-9, rule: .nash)
      .choose(table, answers: Array(texts.prefix(3)))
    #expect(choice.status == .tie)
  }

  @Test("random pairs follow the seed and the prompt, and name the more probable winner")
  func random() throws {
    let table = try circle()
    func pairs(_ seed: UInt64) -> [[Int]] {
      (0..<40).map { prompt in
        let choice = PairSelection(rule: .random, seed: seed)
          .choose(table, answers: texts, prompt: prompt)
        return [choice.chosen ?? -1, choice.rejected ?? -1]
      }
    }
    #expect(pairs(1) == pairs(1) && pairs(1) != pairs(2))
    #expect(Set(pairs(1)).count == 6)
    for pair in pairs(3) { #expect(table.logOdds[pair[0] * 4 + pair[1]] > 0) }
    let wide = PairSelection(minMargin: 2.5, rule: .random)
    for prompt in 0..<10 {
      let choice = wide.choose(table, answers: texts, prompt: prompt)
      #expect(choice.chosen == 2 && choice.rejected == 3)
    }
    let none = PairSelection(minMargin: 5, rule: .random).choose(table, answers: texts)
    #expect(none.status == .tie)
  }

  @Test("a pair that was not compared is never taken", arguments: PairRule.allCases)
  func failures(rule: PairRule) throws {
    var failed = [Bool](repeating: false, count: 16)
    for (i, j) in [(2, 3), (0, 3)] { (failed[4 * i + j], failed[4 * j + i]) = (true, true) }
    let table = try circle(failed: failed)
    #expect(table.logOdds[11] == 0 && table.probability[14] == 0.5 && table.failedPairs == 2)
    for prompt in 0..<20 {
      let choice = PairSelection(rule: rule).choose(table, answers: texts, prompt: prompt)
      let (i, j) = (choice.chosen ?? 0, choice.rejected ?? 0)
      // The lottery's answer may be left with opponents that are no worse against the lottery.
      #expect(choice.status == .kept || (rule == .nash && choice.status == .tie), "\(choice)")
      #expect(choice.status == .tie || table.isCompared(i, j), "\(choice)")
    }
    let all = [Bool](repeating: true, count: 16)
    let nothing = PairSelection(rule: rule).choose(try circle(failed: all), answers: texts)
    #expect(nothing.status == .failed && nothing.chosen == nil)
    let pairs = PairSelection().pairs(
      scores: table.scores, answers: texts, failed: table.failed)
    #expect(!pairs.contains { table.isCompared($0.chosen, $0.rejected) == false })
  }

  @Test("permuting the answers permutes the choice", arguments: 0..<20 as Range<UInt64>)
  func equivariance(seed: UInt64) throws {
    var random = Random(seed: seed, stage: .shuffle)
    let raw = (0..<16).map { $0 % 5 == 0 ? 0 : 4 * random.uniform() - 2 }
    let order = random.permutation(4)
    let moved = (0..<16).map { raw[order[$0 / 4] * 4 + order[$0 % 4]] }
    for rule in [PairRule.bestWorst, .maxMargin, .nash] {
      let plain = PairSelection(rule: rule).choose(
        try WinTable(raw: raw, k: 4, rule: .meanOfOrders), answers: texts)
      let other = PairSelection(rule: rule).choose(
        try WinTable(raw: moved, k: 4, rule: .meanOfOrders), answers: order.map { texts[$0] })
      #expect(other.chosen.map { order[$0] } == plain.chosen, "\(rule), seed \(seed)")
      #expect(other.rejected.map { order[$0] } == plain.rejected, "\(rule), seed \(seed)")
    }
  }
}
