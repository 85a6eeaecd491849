import Foundation

/// A folder for files that a measurement writes and nobody reads.
struct TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory
      .appendingPathComponent("spar-bench-\(ProcessInfo.processInfo.processIdentifier)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func remove() {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      Terminal.error("spar: cannot remove \(path): \(SparFailure.message(error))")
    }
  }
}
