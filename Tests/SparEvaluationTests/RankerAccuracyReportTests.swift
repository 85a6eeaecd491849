import Foundation
import SparEvaluation
import SparPreference
import Testing

@Suite("Accuracy of a ranker, by kind") struct RankerAccuracyReportTests {
  private func rows(_ all: [(kind: String, chosen: String, rejected: String)])
    -> [LabelledComparison]
  {
    all.enumerated().map {
      LabelledComparison(
        name: "r\($0.offset)", subset: $0.element.kind, messages: [(role: "user", content: "?")],
        chosen: $0.element.chosen, rejected: $0.element.rejected)
    }
  }

  /// A ranker that prefers the longer answer, and the first of two as long.
  private func byLength(_ rows: [LabelledComparison]) -> RankerAccuracy {
    RankerAccuracy(
      rows,
      native: rows.map { row in
        let s = Double(row.chosen.count - row.rejected.count)
        return AnswerTable([0, s, -s, 0])
      }, givesRawScores: true)
  }

  private let data = [
    (kind: "cut", chosen: "longer", rejected: "short"), ("cut", "longest", "no"),
    ("repeated", "ab", "abab"), ("repeated", "abc", "abcabc"), ("shuffled", "abc", "bca"),
  ]

  @Test("kinds in order of appearance, each with what length alone gets right")
  func kinds() {
    let rows = rows(data)
    let report = RankerAccuracyReport(
      rows, byLength(rows), ranker: "length", bootstrap: Bootstrap(resamples: 100, seed: 1))
    #expect(report.comparisons == 5 && report.failed == 0)
    #expect(report.accuracy.value == 0.4 && report.longerWins.value == 0.5)
    #expect(report.kinds.map(\.name) == ["cut", "repeated", "shuffled"])
    #expect(report.kinds.map(\.comparisons) == [2, 2, 1])
    #expect(report.kinds.map(\.accuracy.value) == [1, 0, 0])
    #expect(report.kinds.map(\.longerWins.value) == [1, 0, 0.5])
    // Of the four comparisons of different lengths.
    #expect(report.prefersLonger == 1)
  }

  @Test("a ranker that is always right prefers neither length")
  func right() {
    let rows = rows(data)
    let report = RankerAccuracyReport(
      rows,
      RankerAccuracy(
        rows, native: rows.map { _ in AnswerTable([0, 1, -1, 0]) }, givesRawScores: true),
      ranker: "oracle", bootstrap: Bootstrap(resamples: 100, seed: 1))
    #expect(report.accuracy.value == 1 && report.prefersLonger == 0.5)
  }

  @Test("what is written is read back")
  func around() throws {
    let path = NSTemporaryDirectory() + "spar-accuracy-\(UUID().uuidString).json"
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
    let rows = rows(Array(data.prefix(3)))
    let report = RankerAccuracyReport(
      rows, byLength(rows), ranker: "length", bootstrap: Bootstrap(resamples: 100, seed: 1))
    try report.write(to: path)
    #expect(try RankerAccuracyReport.read(path) == report)
  }
}
