import Foundation
import SparHost
import Synchronization

/// What one library offers, found out in a child process: a library that crashes, hangs or prints
/// is then a line of the table and not the end of the program.
struct PluginProbe {
  /// What the child prints.
  struct Found: Codable {
    struct Problem: Codable {
      var reason: String
    }
    var components: [PluginInfo]
    var skipped: [Problem]

    /// The child's side: loads the library.
    init(loading path: String) {
      let host = PluginHost(search: .only(path), threads: 1)
      components = PluginKind.allCases.flatMap { kind in
        host.components(kind).filter { $0.library.path != nil }.map { PluginInfo($0) }
      }
      skipped = host.problems.map { Problem(reason: "\($0.reason)") }
    }
  }

  enum Outcome {
    case found(Found)
    case failed(String)
  }

  /// The parent's side, for every library at once; outcomes in the order of `paths`.
  static func run(_ paths: [String], secondsAllowed: Double) throws -> [Outcome] {
    let results = Mutex([Result<Outcome, any Error>?](repeating: nil, count: paths.count))
    DispatchQueue.concurrentPerform(iterations: paths.count) { index in
      let result = Result { try run(paths[index], secondsAllowed: secondsAllowed) }
      results.withLock { $0[index] = result }
    }
    return try results.withLock { $0 }.compactMap { try $0?.get() }
  }

  private static func run(_ path: String, secondsAllowed: Double) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["plugin", "probe", path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let deadline = Date(timeIntervalSinceNow: secondsAllowed)
    let guardian = Thread {
      while process.isRunning, Date() < deadline { usleep(20_000) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    guardian.start()
    let content = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    if process.terminationReason == .uncaughtSignal {
      let signal = process.terminationStatus
      return .failed(
        signal == SIGKILL && Date() >= deadline
          ? "does not return from loading within \(Int(secondsAllowed)) s"
          : "crashes while it is loaded (signal \(signal), \(String(cString: strsignal(signal))))")
    }
    guard process.terminationStatus == 0 else {
      return .failed("ends the program while it is loaded (status \(process.terminationStatus))")
    }
    // A library may print while it is loaded; the answer is the last line.
    let lines = content.split(separator: 0x0A)
    guard let last = lines.last else { return .failed("gives no answer") }
    return .found(try JSONDecoder().decode(Found.self, from: last))
  }
}
