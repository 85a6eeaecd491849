import Foundation
import Testing

/// The folder of golden values and real data beside the project; nil where it is absent.
package let shared: String? = {
  if let given = ProcessInfo.processInfo.environment["SPAR_SHARED"], !given.isEmpty { return given }
  var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  while folder.path != "/" {
    let candidate = folder.appendingPathComponent("shared")
    if FileManager.default.fileExists(atPath: candidate.path + "/golden") { return candidate.path }
    folder.deleteLastPathComponent()
  }
  return nil
}()

/// A folder that goes away with its last user.
package final class Folder {
  package let path: String

  package init() throws {
    path = NSTemporaryDirectory() + "spar-ranking-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
  }

  package func file(_ name: String) -> String { path + "/" + name }
}
