import Foundation
import SparConformance
import Testing

@Suite("spar plugin check") struct CommandTests {
  private func run(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String)
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["plugin", "check"] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: text, as: UTF8.self),
      String(decoding: complaint, as: UTF8.self)
    )
  }

  @Test("ends with 0 for a plugin that conforms, and says so last")
  func conforming() throws {
    let (status, output, _) = try run([
      try library("honest_ranker"), "--only", "ranker", "--timeout", "60",
    ])
    #expect(status == 0, "\(output)")
    let last = try #require(output.split(separator: "\n").last)
    #expect(last.hasPrefix("libspar-honest_ranker.so conforms: "))
    #expect(output.contains("\nranker fixture\n"))
    #expect(!output.contains("library.loads"), "--only ranker must leave the others out")
  }

  @Test("ends with 1 when one of several files fails, with the law and the cure")
  func failing() throws {
    let (status, output, _) = try run([
      try library("honest_ranker"), try library("lies_about_complement"), "--only",
      "complement", "--timeout", "60",
    ])
    #expect(status == 1)
    #expect(output.contains("passed  ranker.complement-claim"), "\(output)")
    #expect(output.contains("FAILED  ranker.complement-claim"), "\(output)")
    #expect(output.contains("cure: average both orders of a pair, or drop the flag"))
    #expect(output.contains("does NOT conform: 1 failed"))
  }

  @Test("gives the same as JSON")
  func json() throws {
    let (status, output, _) = try run([
      try library("wrong_gradient"), "--only", "objective.gradient", "--json", "--seed", "3",
      "--timeout", "60",
    ])
    #expect(status == 1)
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]])
    let row = try #require(rows.first)
    #expect(row["conforms"] as? Bool == false && row["seed"] as? Int == 3)
    let results = try #require(row["results"] as? [[String: Any]])
    #expect(results.count == 1 && results[0]["verdict"] as? String == "failed")
    #expect(results[0]["component"] as? String == "objective/fixture")
  }

  @Test("ends with 2 for a wrong command line")
  func usage() throws {
    #expect(try run([]).status == 2)
    let unknown = try run(["x.so", "--only", "objectiv_"])
    #expect(unknown.status == 2 && unknown.errors.contains("--list"))
    #expect(try run(["x.so", "--option", "model"]).status == 2)
  }

  @Test("gives a verdict on a file that is not there")
  func missing() throws {
    let (status, output, _) = try run(["/nowhere/libspar-x.so"])
    #expect(status == 1)
    #expect(output.contains("FAILED  library.loads"), "\(output)")
    #expect(output.contains("No such file"), "\(output)")
  }

  @Test("tries the same laws in its own process")
  func inProcess() throws {
    let file = try library("honest_objective")
    let (status, output, _) = try run([file, "--in-process"])
    #expect(status == 0, "\(output)")
    let apart = try run([file, "--timeout", "60"]).output
    // Details may differ (milliseconds), tests and verdicts must not.
    func heads(_ text: String) -> [String] {
      text.split(separator: "\n").filter { $0.hasPrefix("  ") }.map {
        $0.split(separator: " ").prefix(2).joined(separator: " ")
      }
    }
    #expect(heads(output) == heads(apart) && heads(output).count > 20)
  }

  @Test("lists tests that docs/plugin-check.md explains, all of them")
  func documented() throws {
    let text = try String(
      contentsOf: URL(fileURLWithPath: repository + "/docs/plugin-check.md"), encoding: .utf8)
    for test in ConformanceTest.all {
      #expect(text.contains("| `\(test.id)` | \(test.sentence) |"), "\(test.id)")
    }
    #expect(Set(ConformanceTest.all.map(\.id)).count == ConformanceTest.all.count)
  }
}
