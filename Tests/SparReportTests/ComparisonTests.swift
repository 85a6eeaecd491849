import Foundation
import Testing

@testable import SparReport

@Suite("What is compared") struct ComparisonTests {
  private func withFolder(_ body: (SweepFixture) throws -> Void) throws {
    let fixture = try SweepFixture()
    let outcome = Result { try body(fixture) }
    try fixture.remove()
    try outcome.get()
  }

  @Test("runs are named by the settings in which they differ; seeds repeat an arm")
  func naming() throws {
    try withFolder { fixture in
      let paths = ["a", "b", "c", "d"].map { fixture.root + "/" + $0 }
      try fixture.writeRun(paths[0], "sppo", "0.001", "1")
      try fixture.writeRun(paths[1], "sppo", "0.001", "2")
      try fixture.writeRun(paths[2], "gpo", "0.001", "1")
      try fixture.writeRun(paths[3], "gpo", "0.001", "2")
      let comparison = try Comparison.read(paths)
      #expect(comparison.arms.map(\.name) == ["objective.name=sppo", "objective.name=gpo"])
      #expect(comparison.arms.map(\.label) == ["sppo", "gpo"])
      #expect(comparison.arms.map(\.points) == [[0, 1], [2, 3]])
      #expect(comparison.points.map(\.replicate) == ["1", "2", "1", "2"])
      #expect(comparison.baseline == 0)
      #expect(try Comparison.read(paths, baseline: "gpo").baseline == 1)
      #expect(try Comparison.read(paths, baseline: "d").baseline == 1)
      let unknown = #expect(throws: ReportError.self) {
        try Comparison.read(paths, baseline: "objective.name=gpoo")
      }
      #expect("\(try #require(unknown))".contains("did you mean \"objective.name=gpo\"?"))
    }
  }

  @Test("equal runs are no replicates of one another: each goes by its folder")
  func equalRuns() throws {
    try withFolder { fixture in
      let paths = ["first", "again"].map { fixture.root + "/" + $0 }
      for path in paths { try fixture.writeRun(path, "sppo", "0.001", "1") }
      let comparison = try Comparison.read(paths)
      #expect(comparison.arms.map(\.name) == ["first", "again"])
      #expect(throws: ReportError.twice(path: paths[0])) {
        try Comparison.read([paths[0], paths[0] + "/"])
      }
    }
  }

  @Test("one run is a report, too")
  func single() throws {
    try withFolder { fixture in
      let path = fixture.root + "/only"
      try fixture.writeRun(path, "dpo", "0.1", "1")
      let report = Report(try Comparison.read([path]))
      #expect(report.comparison.baseline == nil && report.analysis.arms.count == 1)
      #expect(report.summary.joined().contains("It is preferred to the base model on 50.0"))
      let page = report.text(.html)
      _ = try ReportTests.tags(page)
      #expect(page.contains("spar run RECIPE --set iterations=1"))
      #expect(page.contains("12") && page.contains("2 → 0.5"))
    }
  }

  @Test("an unfinished run has curves and no final figures")
  func unfinished() throws {
    try withFolder { fixture in
      let path = fixture.root + "/half"
      try fixture.writeRun(path, "dpo", "0.1", "1", iterations: 3, evaluated: 2)
      let report = Report(try Comparison.read([path]))
      #expect(report.analysis.arms.isEmpty)
      #expect(report.missing == ["half is unfinished: 2 of 3 iterations evaluated"])
      #expect(report.text(.html).contains("id=\"iterations\""))
      #expect(report.text(.csv).split(separator: "\r\n").count == 3)
    }
  }

  @Test("a folder that is neither sweep nor run is an error with the nearest one inside")
  func neither() throws {
    try withFolder { fixture in
      try fixture.writeRun(fixture.root + "/inside/run-1", "dpo", "0.1", "1")
      let error = #expect(throws: ReportError.self) {
        try Comparison.read([fixture.root + "/inside"])
      }
      #expect("\(try #require(error))".contains("neither a sweep (no sweep.json) nor a run"))
      #expect(error?.hint == "give \(fixture.root)/inside/run-1")
      #expect(throws: ReportError.missing(path: "/nowhere/at all")) {
        try Comparison.read(["/nowhere/at all"])
      }
      try fixture.writeSweep()
      #expect(throws: ReportError.mixed(sweep: fixture.root)) {
        try Comparison.read([fixture.root + "/inside/run-1", fixture.root])
      }
    }
  }

  @Test("names of settings are read as they are, underscores and all")
  func underscores() throws {
    try withFolder { fixture in
      try SweepFixture.write(
        """
        {"schema":1,"name":"n","recipe":"r","command":[],"spar":"0","settings":{},
        "baseline":null,"axes":[{"name":"train.warmup_steps",
        "values":["0","5"],"replicate":false}],"stages":[{"key":"k","stage":"train","path":"s",
        "computed_by":"p1","used_by":["p1","p2"],"seconds":90}],"points":[
        {"id":"p1","arm":"a","values":{"train.warmup_steps":"0"},"folder":"p1","status":"pending",
        "error":null,"seconds":null},
        {"id":"p2","arm":"b","values":{"train.warmup_steps":"5"},"folder":"p2","status":"pending",
        "error":null,"seconds":null}]}
        """, to: fixture.root + "/sweep.json")
      let comparison = try Comparison.read([fixture.root])
      #expect(comparison.arms.map(\.label) == ["0", "5"])
      #expect(
        Provenance(comparison: comparison).sharing == [
          ["train", "1", "1", "1:30", "1:30"], ["all", "1", "1", "1:30", "1:30"],
        ])
    }
  }

  @Test("the format follows the file's ending")
  func format() throws {
    #expect(try ReportFormat(output: "a/b.HTML") == .html)
    #expect(try ReportFormat(output: "b.md") == .markdown)
    #expect(try ReportFormat(output: "b.csv") == .csv)
    #expect(throws: ReportError.format(output: "b.pdf")) { try ReportFormat(output: "b.pdf") }
  }

  @Test("a command line reads back as it was")
  func quoting() {
    #expect(Provenance.quoted("objective.beta=0.001,0.01") == "objective.beta=0.001,0.01")
    #expect(Provenance.quoted("a b") == "'a b'")
    #expect(Provenance.quoted("it's") == "'it'\\''s'")
    #expect(Provenance.quoted("") == "''")
  }
}
