import Foundation
import SparEvaluation
import SparPreference
import Testing

@Suite("Win rate report") struct WinRateReportTests {
  static func facts(
    tokens: Double = 100, repetition: Double = 0.02, ended: Double = 1, empty: Double = 0
  ) -> AnswerFacts {
    AnswerFacts(
      candidates: "c.h5", model: "m", modelDigest: "d", answers: 100, meanTokens: tokens,
      repetition: repetition, ended: ended, empty: empty)
  }

  /// Two answers a side; the policy's first answer has the given win probability against both.
  static func outcome(_ index: Int, _ p: Double, lengths: (Int, Int) = (10, 10)) throws
    -> PromptOutcome
  {
    var table = [Double](repeating: 0.5, count: 16)
    for (i, j) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
      table[i * 4 + j] = p
      table[j * 4 + i] = 1 - p
    }
    return PromptOutcome(
      prompt: "p\(index)", table: try WinTable(probability: table, k: 4),
      policy: ["a", "b"].map { .init(text: $0, tokens: lengths.0) },
      base: ["c", "d"].map { .init(text: $0, tokens: lengths.1) })
  }

  static func report(
    _ probabilities: [Double], policy: AnswerFacts = facts(), base: AnswerFacts = facts(),
    lengths: (Int, Int) = (10, 10)
  ) throws -> WinRateReport {
    WinRateReport(
      outcomes: try probabilities.enumerated().map { try outcome($0, $1, lengths: lengths) },
      policy: policy, base: base, ranker: "test 1", rule: .meanOfOrders,
      bootstrap: Bootstrap(resamples: 100, seed: 4))
  }

  @Test("wins count 1, ties ½, and every prompt counts alike") func counting() throws {
    let report = try Self.report([0.9, 0.2, 0.5, 0.8])
    #expect(report.value == 0.625)
    #expect(abs(report.meanProbability - 0.6) < 1e-12)
    #expect(report.tieRate == 0.25)
    #expect(report.pairs == 16 && report.n == 4)
  }

  @Test("the pairs of both sides are read from the right part of the table") func orientation()
    throws
  {
    // Answers 0 | 1, 2: the policy's one answer beats base answer 1 and loses to base answer 2.
    let table = try WinTable(
      raw: [0, 2, -1, -2, 0, 0, 1, 0, 0], k: 3, rule: .meanOfOrders)
    let outcome = PromptOutcome(
      prompt: "p", table: table, policy: [.init(text: "x", tokens: 20)],
      base: [.init(text: "y", tokens: 30), .init(text: "x", tokens: 18)])
    #expect(outcome.win == 0.5)
    #expect(outcome.matchedPairs == 1 && outcome.matchedWin == 0)
    #expect(outcome.identical == 1)
  }

  @Test(
    "lengths within 15 % of the longer are similar",
    arguments: [
      (85, 100, 1), (84, 100, 0), (100, 85, 1), (0, 0, 1), (0, 1, 0),
    ])
  func similarity(a: Int, b: Int, matched: Int) throws {
    let table = try WinTable(probability: [0.5, 0.9, 0.1, 0.5], k: 2)
    let outcome = PromptOutcome(
      prompt: "p", table: table, policy: [.init(text: "x", tokens: a)],
      base: [.init(text: "y", tokens: b)])
    #expect(outcome.matchedPairs == matched)
  }

  @Test("without answers of similar length there is no length-matched figure, and a warning")
  func unmatched() throws {
    let report = try Self.report([0.9, 0.9], lengths: (100, 10))
    #expect(report.lengthMatched == nil)
    #expect(report.warnings.contains { $0.contains("the effect of length cannot be judged") })
  }

  @Test("the file reads back as what was written, byte for byte") func roundTrip() throws {
    let report = try Self.report([0.9, 0.2, 0.1 + 0.2, 1 / 3])
    let json = try report.json()
    #expect(try WinRateReport(json: json) == report)
    #expect(try WinRateReport(json: json).json() == json)
    let text = String(decoding: json, as: UTF8.self)
    #expect(text.contains("\"length_matched\"") && text.contains("\"probability_rule\""))
  }

  @Test("a fair result gives no warning") func noWarning() throws {
    #expect(try Self.report([Double](repeating: 0.9, count: 60)).warnings == [])
  }

  @Test(
    "signs of a gamed ranker are named",
    arguments: [
      (facts(tokens: 140), "answers grew by 40 %"),
      (facts(tokens: 50), "answers shrank by 50 %"),
      (facts(repetition: 0.06), "repetition rose from 2 % to 6 %"),
      (facts(ended: 0.7), "end by themselves fell from 100 % to 70 %"),
      (facts(empty: 0.2), "empty answers rose from 0 % to 20 %"),
    ])
  func warnings(policy: AnswerFacts, words: String) throws {
    let report = try Self.report([Double](repeating: 0.9, count: 60), policy: policy)
    #expect(report.warnings.count == 1)
    #expect(report.warnings.first?.contains(words) == true, "\(report.warnings)")
  }

  @Test("a gain that is gone among answers of similar length is called length") func lengthGain()
    throws
  {
    let outcomes =
      try (0..<40).map { try Self.outcome($0, 0.9, lengths: (100, 10)) }
      + (40..<80).map { try Self.outcome($0, $0 % 2 == 0 ? 0.9 : 0.1) }
    let report = WinRateReport(
      outcomes: outcomes, policy: Self.facts(), base: Self.facts(), ranker: "r",
      rule: .meanOfOrders, bootstrap: Bootstrap(resamples: 50))
    #expect(report.value == 0.75 && report.lengthMatched?.value == 0.5)
    #expect(report.warnings.contains { $0.contains("part of the gain is length") })
  }

  @Test("a difference counts the prompts that both reports have") func paired() throws {
    let before = try Self.report([0.1, 0.1, 0.9, 0.5])
    let after = try Self.report([0.9, 0.1, 0.9, 0.4, 0.9])
    let change = try #require(PairedDifference(before: before, after: after))
    #expect(change.n == 4 && change.better == 1 && change.worse == 1)
    #expect(change.value == 0.125)
    #expect(change.interval.contains(0.125))
  }

  @Test("the table has a row for each report and columns that line up") func table() throws {
    let report = try Self.report([0.9, 0.2, 0.5])
    let lines = WinRateReport.table([("iteration 1", report), ("2", report)])
    #expect(lines.count == 3)
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(lines[1].hasPrefix("iteration 1  "))
    #expect(report.lines.contains { $0.contains("win rate 50.0 %") })
  }
}
