import Foundation
import SparModel

/// The `spar` program as users run it.
struct SparProgram: Sendable {
  struct Outcome: Sendable {
    var status: Int32
    var output: String
    var errors: String
  }

  /// $SPAR_BINARY, else the release build, else what lies beside the test program.
  static let path: String? = {
    if let given = ProcessInfo.processInfo.environment["SPAR_BINARY"], !given.isEmpty {
      return given
    }
    let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    let release = beside.deletingLastPathComponent().appendingPathComponent("release/spar").path
    return [release, beside.appendingPathComponent("spar").path].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }()

  /// The real model is fetched and the program built: what these tests need.
  static let isReady =
    path != nil
    && KnownModel.named("smollm2-135m").map { FileManager.default.fileExists(atPath: $0.path) }
      == true

  static func start(_ arguments: [String]) throws -> (Process, Pipe, Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path ?? "/nonexistent/spar")
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output, errors)
  }

  @discardableResult
  static func run(_ arguments: String...) throws -> Outcome {
    try run(arguments: arguments)
  }

  static func run(arguments: [String]) throws -> Outcome {
    let (process, output, errors) = try start(arguments)
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    let complained = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }

  /// Starts the program and kills it (SIGKILL) as soon as `isDue` holds; true when it was killed
  /// rather than done by itself.
  static func runAndKill(_ arguments: [String], when isDue: () -> Bool) throws -> Bool {
    let (process, output, errors) = try start(arguments)
    // Nobody waits for the text, but a full pipe would stop the program.
    output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    errors.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    while process.isRunning && !isDue() { usleep(20_000) }
    let isKilled = process.isRunning
    if isKilled { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    output.fileHandleForReading.readabilityHandler = nil
    errors.fileHandleForReading.readabilityHandler = nil
    return isKilled
  }
}

/// A folder that is gone when the test ends.
final class WorkFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "spar-invariant-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      print("cannot remove \(path): \(error)")
    }
  }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ name: String, _ lines: [String]) throws -> String {
    let text = lines.joined(separator: "\n") + "\n"
    try text.write(toFile: file(name), atomically: true, encoding: .utf8)
    return file(name)
  }
}
