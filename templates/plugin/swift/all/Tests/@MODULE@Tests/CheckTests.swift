import Foundation
import Testing

/// Spar's own look at the library that `swift build -c release` made.
@Suite struct CheckTests {
  static let library = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".build/release/@LIBRARY@")
  static let spar = ProcessInfo.processInfo.environment["SPAR"] ?? "spar"

  static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [spar] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  static var canRun: Bool {
    FileManager.default.fileExists(atPath: library.path)
      && (try? run(["--version"]))?.status == 0
  }

  @Test(
    "the library passes the checks of spar",
    .enabled(if: canRun, "needs `swift build -c release` and the command spar"))
  func check() throws {
    let help = try Self.run(["plugin", "--help"]).text
    let hasCheck = help.split(separator: "\n").contains { $0.hasPrefix("  check ") }
    let result = try Self.run(["plugin", hasCheck ? "check" : "info", Self.library.path])
    #expect(result.status == 0, "\(result.text)")
  }
}
