import Foundation
import SparStore
import Testing

/// Two ways of generating that must give the same answers, through the program.
@Suite(
  "Generation invariants", .serialized,
  .enabled(if: SparProgram.isReady, "needs a built spar and `spar model fetch smollm2-135m`"))
struct GenerationInvariantTests {
  let work: WorkFolder
  let prompts: String

  init() throws {
    work = try WorkFolder()
    prompts = try work.write(
      "prompts.jsonl",
      [
        "Name a colour.", "What do bees make?", "Write a line about rain.", "Add 2 and 3.",
        "Who wrote letters?", "Give a tip for sleep.",
      ].map { "{\"prompt\": \"\($0)\"}" })
  }

  func generate(_ name: String, _ more: String...) throws -> CandidateTable {
    let output = work.file(name)
    let (process, printed, errors) = try SparProgram.start(arguments(output) + more)
    _ = try printed.fileHandleForReading.readToEnd()
    let complaint = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: complaint, as: UTF8.self))")
    return try CandidatesFile.read(output).table
  }

  func arguments(_ output: String, maxlen: Int = 12) -> [String] {
    [
      "generate", "--model", "smollm2-135m", "--prompts", prompts, "--pairs", "3", "--maxlen",
      "\(maxlen)", "--temperature", "0.9", "--top_p", "0.95", "--seed", "5", "--output", output,
    ]
  }

  @Test("batch size and thread count change no token and no log-probability")
  func batchAndThreads() throws {
    let plain = try generate("plain.h5", "--batch", "32", "--threads", "2")
    let single = try generate("single.h5", "--batch", "1", "--threads", "2")
    let thread = try generate("thread.h5", "--batch", "32", "--threads", "1")
    #expect(plain.rows.map { $0.answers.map(\.ids) } == single.rows.map { $0.answers.map(\.ids) })
    #expect(plain == thread)
    let placed = try generate("placed.h5", "--batch", "32", "--backend", "numa:fake-nodes=2")
    #expect(plain.rows == placed.rows, "two memory nodes change something")
  }

  @Test("three shards joined are the whole")
  func shards() throws {
    let whole = try generate("whole.h5")
    let parts = try (0..<3).map {
      try generate("shard-\($0).h5", "--frac_len", "2", "--data_frac", "\($0)")
    }
    #expect(whole.rows.map(\.promptIndex) == parts.flatMap { $0.rows.map(\.promptIndex) })
    #expect(
      whole.rows.map { $0.answers.map(\.ids) }
        == parts.flatMap { $0.rows.map { $0.answers.map(\.ids) } })
  }

  @Test("killed and run again is as never killed")
  func killed() throws {
    let output = work.file("killed.h5")
    let journal = output + ".journal"
    let isKilled = try SparProgram.runAndKill(
      arguments(output, maxlen: 40) + ["--batch", "3"],
      when: {
        // The header and the first prompt's line.
        let size = FileManager.default.contents(atPath: journal)?.count { $0 == 0x0A } ?? 0
        return size >= 2
      })
    #expect(isKilled, "the program was done before it could be killed")
    #expect(
      !FileManager.default.fileExists(atPath: output), "a half-written file has its final name")
    let run = try SparProgram.start(arguments(output, maxlen: 40) + ["--batch", "3"])
    _ = try run.1.fileHandleForReading.readToEnd()
    run.0.waitUntilExit()
    let resumed = try CandidatesFile.read(output).table
    let fresh = work.file("fresh.h5")
    let again = try SparProgram.start(arguments(fresh, maxlen: 40) + ["--batch", "3"])
    _ = try again.1.fileHandleForReading.readToEnd()
    again.0.waitUntilExit()
    #expect(try CandidatesFile.read(fresh).table == resumed)
  }
}
