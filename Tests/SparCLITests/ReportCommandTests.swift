import Foundation
import Testing

@Suite("spar report") struct ReportCommandTests {
  @Test(
    "a folder that cannot be reported on is named, with a cure",
    arguments: [
      (["report", "/proc/self"], Int32(1), "neither a sweep"),
      (["report", "/nowhere"], 1, "there is no folder /nowhere"),
      (["report", "/tmp", "-o", "page.pdf"], 2, "--format html, markdown or csv"),
      (["report"], 2, "folder"),
      (["report", "/tmp", "--examples=-1"], 2, "at least 0"),
      (["report", "/tmp", "--format", "pdf"], 2, "pdf"),
    ])
  func failures(arguments: [String], status: Int32, clue: String) throws {
    let result = try SparProcess.run(arguments)
    #expect(result.status == status)
    #expect(result.errors.contains(clue), "\(result.errors)")
    #expect(result.output.isEmpty)
  }
}
