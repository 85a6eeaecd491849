import Foundation

/// A process that runs one test of one component.
struct ChildTest {
  /// How the program is asked to run a test: everything after its name.
  struct Order: Sendable {
    var test: ConformanceTest
    var component: ComponentName?
    var arguments: [String]
  }

  /// What is known when it is over.
  struct Ending {
    var verdict: Verdict
    var components: [ComponentName]
    var seconds: Double
  }

  let order: Order
  private let process: pid_t
  private let start: Double
  private let journal: Int32
  private let errors: Int32

  /// Starts `program` with stdin closed off, stdout and stderr in files, the journal at 3.
  init(_ order: Order, program: String) throws {
    self.order = order
    start = wallSeconds()
    journal = try Self.unlinkedFile()
    errors = try Self.unlinkedFile()
    let output = try Self.unlinkedFile()
    let none = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer {
      close(output)
      close(none)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (from, to) in [(none, 0), (output, 1), (errors, 2), (journal, Journal.descriptor)] {
      posix_spawn_file_actions_adddup2(&actions, from, to)
    }
    // A crash is our verdict, not an occasion for a backtrace of seconds.
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    let words = ([program] + order.arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var process = pid_t()
    let status = posix_spawn(&process, program, &actions, nil, words, variables)
    guard status == 0 else {
      throw CheckError("cannot start \(program): \(systemText(status))")
    }
    self.process = process
  }

  private static func unlinkedFile() throws -> Int32 {
    var name = Array("/tmp/spar-check-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    guard file >= 0 else { throw CheckError("no temporary file in /tmp: \(systemText(errno))") }
    unlink(name)
    // Out of the way of the descriptors that a child is given.
    let moved = fcntl(file, F_DUPFD_CLOEXEC, 100)
    close(file)
    guard moved >= 0 else { throw CheckError("no descriptor left: \(systemText(errno))") }
    return moved
  }

  /// The ending once there is one; nil while it works.  Kills after `timeout` seconds.
  func ending(timeout: Double) -> Ending? {
    var status: Int32 = 0
    let waited = waitpid(process, &status, WNOHANG)
    let seconds = wallSeconds() - start
    if waited == 0, seconds < timeout { return nil }
    let isHung = waited == 0
    if isHung {
      kill(process, SIGKILL)
      waitpid(process, &status, 0)
    }
    let lines = Journal.read(content(journal))
    let complaint = String(decoding: content(errors), as: UTF8.self)
    close(journal)
    close(errors)
    var doing = "starting"
    var names: [ComponentName] = []
    var told: Verdict?
    for line in lines {
      switch line {
      case .doing(let what): doing = what
      case .components(let found): names = found
      case .verdict(let verdict): told = verdict
      }
    }
    let verdict = verdict(told, isHung ? nil : status, doing, complaint, timeout)
    return Ending(verdict: verdict, components: names, seconds: seconds)
  }

  /// `status`: as waitpid gives it; nil when it had to be killed.
  private func verdict(
    _ told: Verdict?, _ status: Int32?, _ doing: String, _ complaint: String, _ timeout: Double
  ) -> Verdict {
    guard let status else { return order.test.softened(.hung(seconds: timeout, doing: doing)) }
    let signal = status & 0x7F
    if signal != 0 {
      // The last words of a runtime that stopped itself, such as "Fatal error: …".
      let words = complaint.isEmpty ? "" : " (\(excerpt(complaint)))"
      return order.test.softened(.crashed(signal: signal, doing: doing + words))
    }
    if let told { return told }
    return order.test.fault(
      "it ended the process with exit status \((status >> 8) & 0xFF) while \(doing)")
  }

  private func content(_ file: Int32) -> Data {
    var bytes = [UInt8](repeating: 0, count: min(max(Int(lseek(file, 0, SEEK_END)), 0), 1 << 24))
    let count = pread(file, &bytes, bytes.count, 0)
    return Data(bytes.prefix(max(count, 0)))
  }
}

/// Why checking itself could not go on.
public struct CheckError: Error, CustomStringConvertible {
  public var description: String

  init(_ description: String) { self.description = description }
}
