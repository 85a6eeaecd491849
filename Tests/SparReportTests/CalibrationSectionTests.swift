import Foundation
import SparEvaluation
import SparPipeline
import SparPreference
import Testing

@testable import SparReport

@Suite("Calibration in the report") struct CalibrationSectionTests {
  /// What a ranker that says `p` of ten right and two wrong comparisons comes to.
  private func accuracy(_ p: [Double]) throws -> RankerAccuracyReport {
    let rows = p.indices.map {
      LabelledComparison(
        name: "r\($0)", subset: "kind <b>", messages: [(role: "user", content: "\($0)")],
        chosen: "a", rejected: "b")
    }
    return try RankerAccuracyReport(
      rows, native: p.map { AnswerTable([0.5, $0, 1 - $0, 0.5]) }, givesRawScores: false,
      rule: .meanOfOrders, ranker: "test <r>", bootstrap: Bootstrap(resamples: 100, seed: 1))
  }

  private func withSweep(_ body: (SweepFixture) throws -> Void) throws {
    let fixture = try SweepFixture()
    try fixture.writeSweep()
    let outcome = Result { try body(fixture) }
    try fixture.remove()
    try outcome.get()
  }

  private func write(_ found: RankerAccuracyReport, _ fixture: SweepFixture, _ point: String) throws
  {
    let folder = RunDirectory(fixture.root + "/points/" + point).ranker
    try SweepFixture.folder(folder.path)
    try found.write(to: folder.accuracy)
  }

  @Test("runs with one ranker share a diagram, another ranker has its own, in every format")
  func diagrams() throws {
    try withSweep { fixture in
      #expect(!Report(try Comparison.read([fixture.root])).text(.html).contains("id=\"ranker\""))
      let sure = try accuracy([Double](repeating: 0.97, count: 10) + [0.03, 0.36])
      let shy = try accuracy([Double](repeating: 0.6, count: 10) + [0.4, 0.4])
      for point in ["p01", "p02"] { try write(sure, fixture, point) }
      try write(shy, fixture, "p03")
      let comparison = try Comparison.read([fixture.root])
      let report = Report(comparison)
      let page = report.text(.html)
      _ = try ReportTests.tags(page)
      #expect(page.contains("Can its probabilities be believed?"))
      #expect(page.ranges(of: "Right where it is sure, p").count == 4)  // title and label of two
      #expect(page.contains("aria-label=\"Right where it is sure, p01, p02: sure by 60–65 %"))
      // Eleven of 0.97 sure, ten of them right; the bin in which the one of 0.36 lies.
      #expect(page.contains("sure by 95–100 %, 11 comparisons: right in 90.9\u{A0}%"))
      #expect(page.contains("sure by 60–65 %, 12 comparisons: right in 83.3\u{A0}%"))
      let tables = ResultTables(comparison: comparison, analysis: report.analysis)
      #expect(tables.calibration.rows.map(\.first) == ["p01, p02", "p03"])
      #expect(tables.calibration.rows.allSatisfy { $0.count == tables.calibration.head.count })
      #expect(tables.calibrationBins.rows.map { $0[2] } == ["1", "11", "12"])
      #expect(
        tables.calibrationBins.rows.allSatisfy { $0.count == tables.calibrationBins.head.count })
      let text = report.text(.markdown)
      #expect(text.contains("## Can its probabilities be believed?"))
      #expect(text.contains("| p01, p02 | 95 – 100\u{A0}% | 11 | 97.0\u{A0}% | 90.9\u{A0}% ("))
    }
  }

  @Test("a report of an older version has no diagram, and nothing is said of its calibration")
  func older() throws {
    try withSweep { fixture in
      var old = try accuracy([0.8, 0.3])
      old.calibration = nil
      try write(old, fixture, "p01")
      let report = Report(try Comparison.read([fixture.root]))
      #expect(report.text(.html).contains("id=\"ranker\""))
      for format in [ReportFormat.html, .markdown] {
        #expect(!report.text(format).contains("Can its probabilities be believed?"))
      }
    }
  }

  @Test("a bin lies where it is sure and right: on the diagonal if it is as right as it is sure")
  func places() throws {
    func chart(_ right: Double) -> String {
      ReliabilityChart(
        title: "t", style: 0,
        bins: [
          Calibration.Bin(
            lower: 0.75, upper: 0.8, count: 8, confidence: 0.75, right: right,
            interval: .init(lower: 0.5, upper: 1))
        ]
      ).markup()
    }
    // From 46 to 350 across is 0.5 to 1, from 210 up to 24 is 0.5 to 1 where no share is below.
    #expect(chart(0.75).contains("x1=\"46\" y1=\"210\" x2=\"350\" y2=\"24\""))
    #expect(chart(0.75).contains("cx=\"198\" cy=\"117\""))
    #expect(chart(1).contains("cx=\"198\" cy=\"24\""))
    #expect(chart(0.75).contains("x1=\"198\" y1=\"210\" x2=\"198\" y2=\"24\""))
  }
}
