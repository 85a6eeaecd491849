import Foundation
import SparStore
import Testing

/// Two ways of training that must give the same parameters, bit for bit, through the program.
@Suite(
  "Training invariants", .serialized,
  .enabled(if: SparProgram.isReady, "needs a built spar and `spar model fetch smollm2-135m`"))
struct TrainingInvariantTests {
  let work: WorkFolder
  let pairs: String

  init() throws {
    work = try WorkFolder()
    pairs = try work.write(
      "pairs.jsonl",
      (1...6).map {
        "{\"prompt\": \"What is \($0) plus \($0)?\", \"chosen\": \"It is \($0 * 2).\", "
          + "\"rejected\": \"I do not know that at all, sorry.\"}"
      })
  }

  func arguments(_ output: String, _ more: [String] = []) -> [String] {
    [
      "train", "--model", "smollm2-135m", "--preferences", pairs, "--objective", "dpo", "--beta",
      "0.1", "--learning_rate", "1e-5", "--per_device_train_batch_size", "2", "--max_steps", "3",
      "--save_steps", "1", "--save_total_limit", "1", "--output_dir", output,
    ] + more
  }

  /// A digest of every parameter and optimizer state of the last checkpoint.
  func digest(_ folder: String) throws -> String {
    let file = try CheckpointFile(folder + "/step-3.h5")
    var hash = SHA256()
    for name in try file.parameterNames().sorted() {
      let count = try file.shape(ofParameter: name).reduce(1, *)
      var values = [Float](repeating: 0, count: count)
      try values.withUnsafeMutableBufferPointer { try file.readParameter(name, into: $0) }
      values.withUnsafeBytes { hash.update($0) }
      for state in try file.optimizerStates() {
        try values.withUnsafeMutableBufferPointer {
          try file.readOptimizer(state, name, into: $0)
        }
        values.withUnsafeBytes { hash.update($0) }
      }
    }
    return hash.hexDigest()
  }

  func train(_ name: String, _ more: String...) throws -> String {
    let output = work.file(name)
    let (process, printed, errors) = try SparProgram.start(arguments(output, more))
    _ = try printed.fileHandleForReading.readToEnd()
    let complaint = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: complaint, as: UTF8.self))")
    return try digest(output)
  }

  @Test("thread count and interruption change no bit of the parameters")
  func threadsAndKill() throws {
    let plain = try train("two", "--threads", "2")
    #expect(try train("one", "--threads", "1") == plain)
    #expect(try train("placed", "--backend", "numa:fake-nodes=2") == plain)
    let output = work.file("killed")
    let isKilled = try SparProgram.runAndKill(
      arguments(output), when: { FileManager.default.fileExists(atPath: output + "/step-1.h5") })
    #expect(isKilled, "the program was done before it could be killed")
    #expect(try train("killed") == plain)
  }
}
