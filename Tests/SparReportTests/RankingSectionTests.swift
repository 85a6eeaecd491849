import SparPipeline
import Testing

@testable import SparReport

@Suite("Rankers in the report") struct RankingSectionTests {
  private func withComparison(_ body: (Comparison) throws -> Void) throws {
    let fixture = try SweepFixture()
    try fixture.writeSweep()
    let outcome = Result { try body(try Comparison.read([fixture.root])) }
    try fixture.remove()
    try outcome.get()
  }

  @Test("runs with one ranking count once; another ranking of the same answers is compared with it")
  func groups() throws {
    try withComparison { comparison in
      let tables = RankingTables(comparison: comparison)
      #expect(tables.groups.count == 2)
      #expect(tables.groups[0].name == "sppo · 0.001, sppo · 0.01")
      let rows = tables.diagnostics.rows
      #expect(rows.count == 2 && rows[0].count == tables.diagnostics.head.count)
      #expect(
        Array(rows[0][1...6]) == [
          "1", "test <r>", "2 × 3", "50.0\u{A0}%", "50.0\u{A0}%", "50.0\u{A0}%",
        ])
      let agreement = try #require(tables.agreements.rows.first)
      // Three of six pairs have the same winner, and one prompt of two the same best by S.
      #expect(agreement[4] == "6" && agreement[5] == "50.0\u{A0}%")
      #expect(tables.circles.count == 2)
      #expect(
        tables.circles[0].hasSuffix("prompt round: 1 ≻ 2 ≻ 3 ≻ 1, each with at least 70.0\u{A0}%"))
    }
  }

  @Test("every format shows it, and names of rankers cannot become markup")
  func formats() throws {
    try withComparison { comparison in
      let report = Report(comparison)
      let page = report.text(.html)
      _ = try ReportTests.tags(page)
      #expect(page.contains("id=\"rankings\"") && page.contains("test &lt;r&gt;"))
      #expect(page.contains("Triples of answers in a circle") && page.contains("1 ≻ 2 ≻ 3 ≻ 1"))
      #expect(report.text(.markdown).contains("## Rankers against one another"))
      let lines = report.text(.csv).split(separator: "\r\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      let column = try #require(lines[0].firstIndex(of: "ranking/intransitive_triples"))
      #expect(lines.dropFirst().allSatisfy { $0[column] == "0.5" })
      #expect(lines.allSatisfy { $0.count == lines[0].count })
    }
  }

  @Test("the comparison of rankers is a drawing of its own and a table")
  func comparison() throws {
    let report = RankerComparisonReport(
      title: "a <b>", groups: [("circles of 3", 2 / 3.0), ("circles of 4", 0.75)],
      series: [
        .init(name: "reward & co", accuracies: [[2 / 3.0, 1 / 3.0], [0.75, 0.75]]),
        .init(name: "gpm", accuracies: [[1, 1], [1, 1]]),
      ])
    let drawing = report.drawing
    #expect(try ReportTests.tags(drawing).first == "svg")
    #expect(drawing.contains("xmlns=") && drawing.contains("reward &amp; co"))
    #expect(!drawing.contains("a <b>") && drawing.contains("prefers-color-scheme"))
    #expect(report.rows[1] == ["bound of any reward", "66.7\u{A0}%", "75.0\u{A0}%"])
    #expect(report.rows[2][1] == "50.0\u{A0}% (33.3 – 66.7)")
    #expect(report.rows[3][2] == "100.0\u{A0}%")
  }
}
