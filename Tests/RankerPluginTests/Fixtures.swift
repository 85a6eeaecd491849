import Foundation
import SparHost
import SparModel
import SparPipeline
import SparPreference
import Testing

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

/// Plugins built beside the test binary.  Models are guarded by their extension, so tests may share
/// it.
nonisolated(unsafe) let runtime: Runtime = {
  var search = PluginSearch(environment: [:])
  search.installed = []
  do {
    return try Runtime(host: PluginHost(search: search, threads: 2), backend: "", threads: 2)
  } catch {
    preconditionFailure("no runtime for the tests: \(error)")
  }
}()

func ranker(_ name: String, _ options: [String: String] = [:]) throws -> AnswerRanker {
  try runtime.ranker(PluginChoice(name, options: options))
}

/// A folder that goes away with its last user.
final class Folder {
  let path: String

  init() throws {
    path = "/tmp/spar-rankers-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
  }

  func file(_ name: String) -> String { path + "/" + name }
}

func query(_ prompt: String, _ answers: [String], row: String? = nil) -> RankQuery {
  RankQuery(messages: [(role: "user", content: prompt)], responses: answers, row: row)
}

/// Entry (i, j) of a permuted table is entry (order[i], order[j]) of the plain one, to the bit.
func isPermuted(_ moved: [Double], _ plain: [Double], _ order: [Int]) -> Bool {
  let k = order.count
  return (0..<k).allSatisfy { i in
    (0..<k).allSatisfy { j in
      moved[i * k + j].bitPattern == plain[order[i] * k + order[j]].bitPattern
    }
  }
}

func distance(_ a: [Double], _ b: [Float]) -> Double {
  a.count == b.count ? zip(a, b).map { abs($0 - Double($1)) }.max() ?? 0 : .infinity
}
