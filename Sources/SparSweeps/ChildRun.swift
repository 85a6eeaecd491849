import Foundation
import SparPipeline
import Synchronization

/// One process of a sweep: `spar run` of a point, or of a stage of it.
///
/// The process watches its parent and ends with it; it prints its progress as JSON lines, and what
/// it complains of goes to a file.
final class ChildRun {
  struct Result: Sendable {
    var status: Int32
    var isSignal: Bool

    var isSuccess: Bool { status == 0 && !isSignal }
    /// As a shell would tell it.
    var wasInterrupted: Bool { !isSignal && status == 130 }
  }

  let task: Int
  let threads: Int
  let log: String
  private let process = Process()
  private let output = Pipe()
  private let latest = Latest()
  private let start = ContinuousClock.now

  /// - Parameters:
  ///   - program: the executable of `spar`.
  ///   - log: file for its messages; replaced.
  init(
    task: Int, threads: Int, program: String, arguments: [String], log: String
  ) throws {
    self.task = task
    self.threads = threads
    self.log = log
    guard FileManager.default.createFile(atPath: log, contents: nil),
      let messages = FileHandle(forWritingAtPath: log)
    else { throw RunError.folder(path: log, reason: "cannot be written") }
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = messages
    try process.run()
    try messages.close()
    let reader = Thread { [latest, output] in
      latest.follow(output.fileHandleForReading)
    }
    reader.stackSize = 1 << 18
    reader.start()
  }

  var progress: RunProgress.Snapshot? { latest.snapshot }

  var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Nil while it runs.
  var result: Result? {
    guard !process.isRunning else { return nil }
    return Result(
      status: process.terminationStatus, isSignal: process.terminationReason == .uncaughtSignal)
  }

  /// Asks it to stop after the piece of work at hand.
  func stop() { process.terminate() }

  /// What it said went wrong.
  func complaint(_ result: Result) -> String {
    var text = ""
    do {
      text = try String(contentsOfFile: log, encoding: .utf8)
    } catch {
      return "failed, and its messages cannot be read: \(error)"
    }
    let marker = "spar: error: "
    let said = text.split(separator: "\n").last { $0.hasPrefix(marker) }
    if let said { return String(said.dropFirst(marker.count)) }
    return result.isSignal
      ? "crashed: signal \(result.status), \(String(cString: strsignal(result.status)))"
      : "ended with status \(result.status); see \(log)"
  }
}

/// What a process last said of its progress; filled by the thread that reads it.
private final class Latest: Sendable {
  private let value = Mutex<RunProgress.Snapshot?>(nil)

  var snapshot: RunProgress.Snapshot? { value.withLock { $0 } }

  /// Reads to the end of what the process prints.
  func follow(_ handle: FileHandle) {
    var rest = Data()
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    while true {
      let part = handle.availableData
      if part.isEmpty { return }
      rest += part
      guard let end = rest.lastIndex(of: 0x0A) else { continue }
      let line = rest[..<end].split(separator: 0x0A).last
      rest = Data(rest[(end + 1)...])
      guard let line else { continue }
      do {
        let snapshot = try decoder.decode(RunProgress.Snapshot.self, from: Data(line))
        value.withLock { $0 = snapshot }
      } catch {
        // A plugin may print to stdout; that is no progress, and no harm.
        continue
      }
    }
  }
}
