import Foundation
import SparPipeline
import Testing

@testable import SparReport

@Suite("Report") struct ReportTests {
  /// Throws the fixture away however the test ends.
  private func withSweep(
    _ statuses: [String: SweepRecord.Status] = [:], _ body: (SweepFixture) throws -> Void
  ) throws {
    let fixture = try SweepFixture()
    try fixture.writeSweep(statuses: statuses)
    let outcome = Result { try body(fixture) }
    try fixture.remove()
    try outcome.get()
  }

  /// Every tag is closed, in order; returns the tags that were seen.
  static func tags(_ html: String) throws -> [String] {
    var (open, seen): ([String], [String]) = ([], [])
    let void: Set = ["meta", "input", "br", "!DOCTYPE"]
    let tag = /<(\/?)([!A-Za-z0-9]+)([^<>]*?)(\/?)>/
    for match in html.matches(of: tag) {
      let name = String(match.2)
      if void.contains(name) || !match.4.isEmpty { continue }
      if match.1.isEmpty {
        open.append(name)
        seen.append(name)
      } else {
        #expect(open.popLast() == name, "closed out of order")
      }
    }
    #expect(open.isEmpty, "left open: \(open)")
    return seen
  }

  @Test("the page is well-formed, whole in itself, and names every arm")
  func page() throws {
    try withSweep { fixture in
      let report = Report(try Comparison.read([fixture.root]))
      let page = report.text(.html)
      let tags = try Self.tags(page)
      #expect(tags.count { $0 == "svg" } > 8)
      for foreign in ["http:", "https:", "//", "<script", "@import", "url(", "<link", "<img"] {
        #expect(!page.contains(foreign), "\(foreign)")
      }
      for label in ["sppo · 0.001", "sppo · 0.01", "gpo · 0.001", "gpo · 0.01"] {
        #expect(page.contains(label), "\(label)")
      }
      for part in [
        "id=\"results\"", "id=\"length\"", "id=\"axes\"", "id=\"iterations\"", "id=\"training\"",
        "id=\"answers\"", "id=\"provenance\"", "spar sweep &#39;a recipe.yaml&#39;", "abc123",
        "feed", "prefers-color-scheme:dark", "@media print", "name=\"viewport\"",
      ] {
        #expect(page.contains(part), "\(part)")
      }
      #expect(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; |"))
      #expect(!page.contains("id=\"missing\""))
    }
  }

  @Test("the same input gives the same bytes")
  func deterministic() throws {
    try withSweep { fixture in
      for format in ReportFormat.allCases {
        let texts = try (0..<2).map { _ in
          Report(try Comparison.read([fixture.root])).text(format)
        }
        #expect(texts[0] == texts[1])
      }
    }
  }

  @Test("arms, differences and effects have the values that were put in")
  func figures() throws {
    try withSweep { fixture in
      let analysis = Report(try Comparison.read([fixture.root])).analysis
      // sppo wins 4 and 3 of 8, gpo 6 and 5.
      #expect(analysis.arms.map(\.winRate.value) == [0.4375, 0.4375, 0.6875, 0.6875])
      #expect(analysis.arms.map(\.tokens.value) == [4, 4, 4, 4])
      #expect(analysis.baseline == 0 && analysis.arms[0].winDifference == nil)
      let gpo = try #require(analysis.arms[2].winDifference)
      #expect(gpo.value == 0.25 && gpo.better == 2 && gpo.worse == 0)
      #expect(gpo.prompts == 8 && gpo.replicates == 2)
      #expect(analysis.arms[1].winDifference?.p == 1)
      #expect(gpo.corrected >= gpo.p)
      #expect(analysis.effects.map(\.axis) == ["objective.name", "objective.beta"])
      #expect(analysis.effects[0].values.map(\.winRate.value) == [0.4375, 0.6875])
      #expect(analysis.effects[1].values.map(\.winRate.value) == [0.5625, 0.5625])
      #expect(analysis.interactions.count == 1)
      // The last quarter of four steps is the last one.
      #expect(analysis.arms[0].training["loss"] == 0.5)
    }
  }

  @Test("a row of the CSV for each point and iteration, under axes and figures")
  func table() throws {
    try withSweep(["p08": .failed]) { fixture in
      let lines = Report(try Comparison.read([fixture.root])).text(.csv)
        .split(separator: "\r\n").map(String.init)
      let columns = lines[0].split(separator: ",", omittingEmptySubsequences: false)
      for name in [
        "point", "arm", "status", "is_final", "objective.name", "objective.beta", "seed",
        "iteration", "win_rate", "length_matched_win_rate", "tokens", "train/loss",
        "seconds/train",
      ] {
        #expect(columns.contains(Substring(name)), "\(name)")
      }
      #expect(lines.count == 9)
      for line in lines {
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        #expect(cells.count == columns.count)
      }
      let win = try #require(columns.firstIndex(of: "win_rate"))
      #expect(lines[1].split(separator: ",", omittingEmptySubsequences: false)[win] == "0.5")
      #expect(lines[8].contains("failed") && lines[8].contains("not a number"))
    }
    #expect(CSVReport.quoted("a,\"b\"\n") == "\"a,\"\"b\"\"\n\"")
  }

  @Test("Markdown has the tables, and text that cannot become markup")
  func markdown() throws {
    try withSweep { fixture in
      let text = Report(try Comparison.read([fixture.root])).text(.markdown)
      #expect(text.hasPrefix("# objective by beta\n"))
      #expect(text.contains("| gpo · 0.01 | 2 | 68.8\u{A0}% ("))
      #expect(text.contains("&lt;script&gt;") && !text.contains("<script>"))
      let tables = text.components(separatedBy: "\n\n").filter { $0.hasPrefix("|") }
      #expect(tables.count > 4)
      for table in tables {
        let bars = table.split(separator: "\n").map { line in
          line.replacing("\\|", with: "").count { $0 == "|" }
        }
        #expect(Set(bars).count == 1, "\(table)")
      }
    }
  }

  @Test("a sweep that still runs reports what is there and says what is missing")
  func partial() throws {
    try withSweep(["p02": .running, "p05": .failed, "p06": .failed, "p07": .pending]) { fixture in
      try fixture.writeRun(
        fixture.root + "/points/p02", "sppo", "0.001", "2", iterations: 2, evaluated: 1)
      try SweepFixture.write("{", to: fixture.root + "/points/p08/iteration-1/evaluation.json")
      let report = Report(try Comparison.read([fixture.root]))
      let missing = report.missing.joined(separator: "\n")
      #expect(missing.contains("p02") && missing.contains("1 of 2 iterations evaluated"))
      #expect(missing.contains("p05") && missing.contains("the loss became not a number"))
      #expect(missing.contains("p07") && missing.contains("has not been started"))
      #expect(missing.contains("p08") && missing.contains("evaluation.json: not the JSON"))
      #expect(report.analysis.arms.map(\.points) == [["p01"], ["p03", "p04"]])
      let page = report.text(.html)
      _ = try Self.tags(page)
      #expect(page.contains("id=\"missing\"") && page.contains("gpo · 0.001"))
    }
  }

  @Test("nothing finished: a page that says so")
  func unfinished() throws {
    let ids = (1...8).map { "p0\($0)" }
    try withSweep(Dictionary(uniqueKeysWithValues: ids.map { ($0, .pending) })) { fixture in
      let report = Report(try Comparison.read([fixture.root]))
      #expect(report.analysis.arms.isEmpty && report.missing.count == 8)
      for format in ReportFormat.allCases { #expect(!report.text(format).isEmpty) }
      _ = try Self.tags(report.text(.html))
      #expect(report.summary.contains("No point is finished yet."))
    }
  }

  @Test("a sweep without points is an error")
  func empty() throws {
    let fixture = try SweepFixture()
    try SweepFixture.write(
      #"{"schema":1,"name":"n","recipe":"r","command":[],"spar":"0","axes":[],"settings":{},"#
        + #""points":[],"stages":[]}"#, to: fixture.root + "/sweep.json")
    #expect(throws: ReportError.noPoints(path: fixture.root + "/sweep.json")) {
      try Comparison.read([fixture.root])
    }
    try SweepFixture.write(#"{"schema":9}"#, to: fixture.root + "/sweep.json")
    #expect(
      throws: SweepRecordError.schema(file: fixture.root + "/sweep.json", found: 9, supported: 1)
    ) { try Comparison.read([fixture.root]) }
    try fixture.remove()
  }
}
