import Foundation

/// The program `spar` that was built beside these tests, run as a user runs it.
struct SparProcess {
  var status: Int32
  var output: String
  var errors: String

  var lines: [String] { output.split(separator: "\n").map(String.init) }

  static var program: URL {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("spar")
  }

  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> SparProcess {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let folder = try Folder()
    defer { folder.remove() }
    // Files, not pipes: neither side can wait for the other.
    let (stdin, stdout, stderr) = (folder.file("in"), folder.file("out"), folder.file("err"))
    try Data(input.utf8).write(to: URL(fileURLWithPath: stdin))
    for path in [stdout, stderr] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    process.standardInput = FileHandle(forReadingAtPath: stdin)
    process.standardOutput = FileHandle(forWritingAtPath: stdout)
    process.standardError = FileHandle(forWritingAtPath: stderr)
    try process.run()
    process.waitUntilExit()
    return SparProcess(
      status: process.terminationStatus,
      output: try String(contentsOfFile: stdout, encoding: .utf8),
      errors: try String(contentsOfFile: stderr, encoding: .utf8))
  }

  /// A folder of a test's own.
  struct Folder {
    let path: String

    init() throws {
      path = NSTemporaryDirectory() + "spar-cli-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ name: String, _ text: String) throws -> String {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
      return file(name)
    }

    func remove() {
      do {
        try FileManager.default.removeItem(atPath: path)
      } catch {
        print("cannot remove \(path): \(error)")
      }
    }
  }
}
