import SparEvaluation
import SparPreference
import Testing

@Suite("Ranker accuracy") struct RankerAccuracyTests {
  func row(_ chosen: String, _ rejected: String, subset: String = "") -> LabelledComparison {
    LabelledComparison(
      name: "row", subset: subset, messages: [(role: "user", content: "?")], chosen: chosen,
      rejected: rejected)
  }

  @Test("the mean of both orders decides; a tie is wrong, a failure one half")
  func verdicts() throws {
    let found = RankerAccuracy(
      [row("aa", "b"), row("a", "bb"), row("a", "b"), row("a", "b")],
      native: [
        AnswerTable([0, 1, 2, 0]),  // first wins more when second: wrong in the mean
        AnswerTable([0, 1, -2, 0]), AnswerTable([0, 0, 0, 0]),
        AnswerTable([0, 0, 0, 0], failed: [false, true, true, false]),
      ], givesRawScores: true)
    #expect(found.results == [0, 1, 0, 0.5])
    #expect(found.longer == [1, 0, 0.5, 0.5])
    #expect(found.failed == 1)
    #expect(found.accuracy().value == 0.375)
    #expect(found.longerWins().value == 0.5)
    #expect(found.accuracy().interval.contains(0.375))
    let orders = try #require(found.orders)
    #expect(orders.first == 2 / 3.0)
    #expect(orders.second == 1 / 3.0)
    #expect(orders.consistency == 2 / 3.0)
  }

  @Test("probabilities are compared with one half, and subsets become sections")
  func probabilities() throws {
    let found = RankerAccuracy(
      [
        row("a", "b", subset: "mt-bench-hard"), row("a", "b", subset: "mt-bench-hard"),
        row("a", "b"),
      ],
      native: [
        AnswerTable([0.5, 0.7, 0.3, 0.5]), AnswerTable([0.5, 0.4, 0.6, 0.5]),
        AnswerTable([0.5, 0.9, 0.1, 0.5]),
      ], givesRawScores: false)
    #expect(found.results == [1, 0, 1])
    let section = try #require(found.bench.sectionScores.first)
    #expect(section.name == "Chat Hard" && section.accuracy == 0.5 && section.count == 2)
    #expect(found.bench.overall == nil)
  }

  @Test("where nothing could be compared there is no consistency")
  func allFailed() {
    let found = RankerAccuracy(
      [row("a", "b")], native: [AnswerTable([0, 0, 0, 0], failed: [false, true, true, false])],
      givesRawScores: true)
    #expect(found.orders == nil && found.accuracy().value == 0.5)
  }

  @Test(
    "strata: like length up to 1.15, shorter chosen, longer chosen; length scores one half, 0, 1")
  func strata() throws {
    func text(_ count: Int) -> String { String(repeating: "é", count: count) }
    let rows = [
      row(text(115), text(100)), row(text(116), text(100)), row(text(100), text(115)),
      row(text(10), text(40)), row(text(7), text(7)),
    ]
    let right = AnswerTable([0, 1, -1, 0])
    let wrong = AnswerTable([0, -1, 1, 0])
    let found = RankerAccuracy(
      rows, native: [right, right, wrong, right, right], givesRawScores: true
    ).strata()
    #expect(found.map(\.stratum) == [.matched, .shorterChosen, .longerChosen])
    #expect(found.map(\.count) == [3, 2, 2])
    #expect(found.map(\.accuracy.value) == [2 / 3.0, 0.5, 1])
    #expect(found.map(\.longerWins.value) == [0.5, 0, 1])
  }

  @Test("comparisons of one prompt are drawn together, so they widen the interval")
  func clusters() {
    let values = (0..<60).map { Double($0 / 10 % 2) }
    let bootstrap = Bootstrap(resamples: 2000, seed: 1)
    let apart = bootstrap.interval(of: values)
    #expect(bootstrap.interval(of: values, prompts: Array(0..<60)) == apart)
    let together = bootstrap.interval(of: values, prompts: (0..<60).map { $0 / 10 })
    #expect(together.upper - together.lower > 2 * (apart.upper - apart.lower))
    #expect(together.contains(0.5))
  }
}
