import Foundation
import Testing

@Suite("spar data") struct DataCommandTests {
  private let good = #"{"question": "Why?", "chosen": "Because.", "rejected": "No."}"#
  private let equal = #"{"question": "How?", "chosen": "So.", "rejected": "So."}"#

  @Test("inspect shows the form, doctor ends with 1 for an error, convert writes TRL's columns")
  func commands() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let path = try folder.write("a.jsonl", good + "\n" + equal + "\n")
    let shown = try SparProcess.run(["data", "inspect", path])
    #expect(shown.status == 0 && shown.output.contains("question-pairs"))
    #expect(shown.output.contains("rows     2"))
    let found = try SparProcess.run(["data", "doctor", path])
    #expect(found.status == 1)
    #expect(found.output.contains("error: identical-answers: chosen and rejected are the same"))
    #expect(found.output.contains("a.jsonl, line 2"))
    let json = try SparProcess.run(["data", "doctor", path, "--json"])
    #expect(json.status == 1 && json.output.contains(#""name":"identical-answers""#))
    let parquet = folder.file("a.parquet")
    let made = try SparProcess.run(["data", "convert", "--canonical", path, parquet])
    #expect(made.status == 0 && made.output == "\(parquet): 2 rows\n", "\(made.errors)")
    let again = try SparProcess.run(["data", "inspect", "--json", parquet])
    #expect(again.output.contains(#""form":"pairs""#))
    let clean = try SparProcess.run(["data", "doctor", "\(parquet):0.5"])
    #expect(clean.status == 0 && clean.output.contains("nothing found"))
  }

  @Test("the names of columns and the draw of rows hold for the held-out data, too")
  func heldOut() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let data = try folder.write("a.jsonl", good.replacing("question", with: "q") + "\n")
    let held = try folder.write(
      "held.jsonl", (0..<9).map { "{\"q\": \"\($0)?\"}\n" }.joined() + "{\"q\": \"Why?\"}\n")
    func doctor(_ held: String, _ more: String...) throws -> SparProcess {
      try SparProcess.run(
        ["data", "doctor", data, "--column", "prompt=q", "--held-out", held] + more)
    }
    let all = try doctor(held)
    #expect(all.status == 1 && all.output.contains("held-out-overlap"), "\(all.errors)")
    // The first half lacks the last row; some draw of a half has it.
    #expect(try doctor(held + ":0.5").status == 0)
    let drawn = try (1...6).map { try doctor(held + ":0.5", "--sample-seed", "\($0)").status }
    #expect(Set(drawn) == [0, 1])
  }

  @Test("what is wrong is one line with a cure")
  func wrong() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let path = try folder.write("a.jsonl", good + "\n")
    for (arguments, status, message) in [
      (["data", "inspect", folder.file("b.jsonl")], 1, "No such file or directory"),
      (["data", "convert", path, path], 2, "is one of the files that are read"),
      (["data", "convert", path, folder.file("b.csv")], 1, "written as .jsonl or .parquet"),
      (["data", "convert", path, folder.file("b.jsonl"), "--window", "5"], 2, "for --shuffle"),
      (["data", "doctor", path, "--max-length", "50"], 2, "no --model is given"),
      (["data", "inspect", path, "--sample-seed", "3"], 2, "all of"),
      (["data", "inspect", path, "--column", "promt=question"], 2, "nearest: prompt"),
      (["data", "inspect", path, "--column", "prompt=query"], 1, "there is no column query"),
      (
        ["train", "--model", "m", "--preferences", path, "--allow", "bos"], 2, "knows no error bos"
      ),
      (
        ["train", "--model", "m", "--preferences", "p.h5", "--no-doctor"], 2,
        "holds a ranking, for which"
      ),
    ] {
      let result = try SparProcess.run(arguments)
      #expect(result.status == Int32(status), "\(arguments): \(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
    }
  }
}
