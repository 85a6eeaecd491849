import Foundation
import SparConformance
import Synchronization
import Testing

/// The folder of built products: the program and the plugins stand beside these tests.
let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
  .deletingLastPathComponent().path
/// The program that runs a test in a process of its own.
let program = products + "/spar"

let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().path
let misbehaving = repository + "/Tests/Misbehaving"

/// Under /tmp, which is sticky and therefore safe; removed when the process ends.
private let folder: String = {
  let path = "/tmp/spar-conformance-tests-\(getpid())"
  mkdir(path, 0o755)
  atexit {
    do {
      try FileManager.default.removeItem(atPath: "/tmp/spar-conformance-tests-\(getpid())")
    } catch {
      print("left fixtures in /tmp: \(error)")
    }
  }
  return path
}()

private let compiled = Mutex<[String: String]>([:])

/// Compiles a source of Tests/Misbehaving, once.
func library(_ name: String) throws -> String {
  try library(name, from: "\(misbehaving)/\(name).c")
}

/// Compiles a C source against the installed header alone, as plugin authors do.
func library(_ name: String, from source: String) throws -> String {
  try compiled.withLock { known in
    if let path = known[name] { return path }
    let path = "\(folder)/libspar-\(name).so"
    let cc = Process()
    cc.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    cc.arguments =
      ["cc", "-std=c11", "-D_DEFAULT_SOURCE", "-O1", "-shared", "-fPIC", "-fvisibility=hidden"]
      + ["-I\(repository)/Sources/CSparPlugin/include", "-o", path, source, "-lm", "-lpthread"]
    let output = Pipe()
    cc.standardError = output
    try cc.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    cc.waitUntilExit()
    try #require(cc.terminationStatus == 0, "cc failed: \(text)")
    chmod(path, 0o755)
    known[name] = path
    return path
  }
}

/// Every test on every component of a file.
func checkAll(_ file: String, options: [String: String] = [:]) throws -> FileReport {
  var check = ConformanceCheck(file: file, program: program)
  check.options = options
  check.timeout = 60
  check.jobs = 2
  return try check.run()
}
