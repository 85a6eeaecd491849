import Foundation
import SparEvaluation
import SparPreference
import Testing

@Suite("Report of a ranker's accuracy") struct RankerAccuracyReportTests {
  private func rows(
    _ all: [(kind: String, chosen: String, rejected: String)],
    prompt: (Int) -> String = { _ in "?" }
  ) -> [LabelledComparison] {
    all.enumerated().map {
      LabelledComparison(
        name: "r\($0.offset)", subset: $0.element.kind,
        messages: [(role: "user", content: prompt($0.offset))], chosen: $0.element.chosen,
        rejected: $0.element.rejected)
    }
  }

  private func report(
    _ rows: [LabelledComparison], _ native: [AnswerTable], givesRawScores: Bool = true,
    rule: ProbabilityRule = .meanOfOrders
  ) throws -> RankerAccuracyReport {
    try RankerAccuracyReport(
      rows, native: native, givesRawScores: givesRawScores, rule: rule, ranker: "test",
      bootstrap: Bootstrap(resamples: 300, seed: 1))
  }

  /// A ranker that prefers the longer answer, and the first of two as long.
  private func byLength(_ rows: [LabelledComparison]) throws -> RankerAccuracyReport {
    try report(
      rows,
      rows.map { row in
        let s = Double(row.chosen.count - row.rejected.count)
        return AnswerTable([0, s, -s, 0])
      })
  }

  private let data = [
    (kind: "cut", chosen: "longer", rejected: "short"), ("cut", "longest", "no"),
    ("repeated", "ab", "abab"), ("repeated", "abc", "abcabc"), ("shuffled", "abc", "bca"),
  ]

  @Test("kinds in order of appearance, each with what length alone gets right")
  func kinds() throws {
    let report = try byLength(rows(data))
    #expect(report.comparisons == 5 && report.failed == 0)
    #expect(report.accuracy.value == 0.4 && report.longerWins.value == 0.5)
    #expect(report.kinds.map(\.name) == ["cut", "repeated", "shuffled"])
    #expect(report.kinds.map(\.comparisons) == [2, 2, 1])
    #expect(report.kinds.map(\.accuracy.value) == [1, 0, 0])
    #expect(report.kinds.map(\.longerWins.value) == [1, 0, 0.5])
    // Of the four comparisons of different lengths.
    #expect(report.prefersLonger == 1)
    #expect(report.strata.map(\.count) == [1, 2, 2] && report.consistency == 1)
    #expect(report.subsets.map(\.count) == [2, 2, 1])
    let lines = report.lines
    #expect(lines[0].hasPrefix("ranker, held-out, 5 comparisons: right in 40.0 % ("))
    #expect(lines[1].hasPrefix("cut, 2 comparisons: right in 100.0 % (100.0–100.0)"))
    #expect(lines.last?.hasPrefix("calibration, P by mean-of-orders: Brier score ") == true)
  }

  @Test("comparisons of one prompt are drawn together, in kinds as in the whole")
  func clusters() throws {
    let many = (0..<40).map { row in
      (kind: "k", chosen: row / 10 % 2 == 0 ? "ab" : "a", rejected: row / 10 % 2 == 0 ? "a" : "ab")
    }
    let apart = try byLength(rows(many) { "\($0)" })
    let together = try byLength(rows(many) { "\($0 / 10)" })
    func width(_ share: RankerAccuracy.Share) -> Double {
      share.interval.upper - share.interval.lower
    }
    #expect(apart.accuracy.value == together.accuracy.value)
    #expect(width(together.accuracy) > 1.8 * width(apart.accuracy))
    #expect(together.kinds[0].accuracy == together.accuracy)
  }

  @Test("a ranker that is always right prefers neither length")
  func right() throws {
    let rows = rows(data)
    let report = try report(rows, rows.map { _ in AnswerTable([0, 1, -1, 0]) })
    #expect(report.accuracy.value == 1 && report.prefersLonger == 0.5)
    #expect(report.calibration?.temperature?.bound == .zero)
  }

  @Test(
    "P is the one that training would use: by the rule from scores, as the ranker gives it else",
    arguments: [
      (ProbabilityRule.meanOfOrders, true, [0, 1.2, -0.4, 0], 1 / (1 + exp(-0.8))),
      (.upstreamTable, true, [0, 1.2, -0.4, 0], 1 / (1 + exp(-1.6))),
      // Of two answers the mean over j is half of M − Mᵀ, and the difference of two such is whole.
      (.upstreamScore, true, [0, 1.2, -0.4, 0], 1 / (1 + exp(-1.6))),
      (.meanOfOrders, false, [0.5, 0.7, 0.4, 0.5], 0.65),
      (.upstreamTable, false, [0.5, 0.7, 0.4, 0.5], 0.65),
    ])
  func probabilities(rule: ProbabilityRule, isRaw: Bool, native: [Double], p: Double) throws {
    let report = try report(
      rows([data[0]]), [AnswerTable(native)], givesRawScores: isRaw, rule: rule)
    let found = try #require(report.calibration)
    #expect(abs(found.brier.value - (1 - p) * (1 - p)) < 1e-12)
    #expect(abs(found.logLoss.value + log(p)) < 1e-12)
    #expect(report.probabilityRule == (isRaw ? rule : nil))
    #expect(report.calibrationTitle.contains(isRaw ? "by \(rule.rawValue)" : "as the ranker"))
  }

  @Test("a label that is a probability is read as one")
  func soft() throws {
    var row = rows([data[0]])[0]
    row.probability = 0.75
    let found = try #require(
      try report([row], [AnswerTable([0, log(4), -log(4), 0])]).calibration)
    #expect(abs(found.brier.value - (0.75 * 0.04 + 0.25 * 0.64)) < 1e-12)
  }

  @Test("what failed is half right, and not part of the calibration")
  func failures() throws {
    let broken = AnswerTable([0, 0, 0, 0], failed: [false, true, true, false])
    let rows = rows(data)
    let some = try report(
      rows, [broken] + rows.dropFirst().map { _ in AnswerTable([0, 1, -1, 0]) })
    #expect(some.failed == 1 && some.accuracy.value == 0.9)
    let found = try #require(some.calibration)
    #expect(found.comparisons == 4 && found.failed == 1)
    #expect(found.rows.contains { $0 == ["left out", "1 failed comparisons"] })
    let all = try report(rows, rows.map { _ in broken })
    #expect(all.calibration == nil && all.failed == 5 && all.consistency == nil)
  }

  @Test("what is written is read back, also what older versions wrote")
  func around() throws {
    let path = NSTemporaryDirectory() + "spar-accuracy-\(UUID().uuidString).json"
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
    let report = try byLength(rows(Array(data.prefix(3))))
    try report.write(to: path)
    #expect(try RankerAccuracyReport.read(path) == report)
    let share = #"{"value": 0.5, "interval": {"lower": 0, "upper": 1, "level": 0.95}}"#
    try Data(
      """
      {"ranker": "gpm", "comparisons": 2, "failed": 0, "accuracy": \(share),
      "longer_wins": \(share), "prefers_longer": 0.25, "kinds": [{"name": "cut",
      "comparisons": 2, "accuracy": \(share), "longer_wins": \(share)}]}
      """.utf8
    ).write(to: URL(fileURLWithPath: path))
    let old = try RankerAccuracyReport.read(path)
    #expect(old.prefersLonger == 0.25 && old.kinds.map(\.name) == ["cut"])
    #expect(old.calibration == nil && old.strata.isEmpty && old.lines.count == 3)
  }
}
