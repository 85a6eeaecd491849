import Foundation
import SparHost
import SparModel
import SparPipeline
import SparPreference

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
