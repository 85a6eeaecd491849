import Foundation

/// The folder of golden values and real data beside the project; nil where it is absent.
let shared: String? = {
  if let given = ProcessInfo.processInfo.environment["SPAR_SHARED"], !given.isEmpty { return given }
  var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  while folder.path != "/" {
    let candidate = folder.appendingPathComponent("shared")
    if FileManager.default.fileExists(atPath: candidate.path + "/golden") { return candidate.path }
    folder.deleteLastPathComponent()
  }
  return nil
}()
