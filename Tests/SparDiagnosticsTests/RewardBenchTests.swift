import SparDiagnostics
import Testing

@Suite("RewardBench") struct RewardBenchTests {
  /// A subset with `right` of `n` rows right.
  private func rows(_ right: Int, of n: Int) -> [Double] {
    (0..<n).map { $0 < right ? 1 : 0 }
  }

  @Test("a section weighs its subsets by the published counts, not by rows")
  func sections() throws {
    // Accuracies of a published model, with as many rows as the public set has.
    let bench = RewardBench([
      "math-prm": rows(132, of: 447), "hep-cpp": rows(103, of: 164), "hep-go": rows(104, of: 164),
      "hep-java": rows(116, of: 164), "hep-js": rows(109, of: 164), "hep-python": rows(90, of: 164),
      "hep-rust": rows(106, of: 164),
    ])
    let reasoning = try #require(bench.sectionScores.first)
    #expect(reasoning.name == "Reasoning" && reasoning.isComplete)
    #expect(abs(reasoning.accuracy - 0.46675669776831996) < 1e-12)
    #expect(bench.overall == nil)
  }

  @Test("all sections, then the mean of the four")
  func overall() throws {
    var results: [String: [Double]] = [:]
    for (index, section) in RewardBench.sections.enumerated() {
      for subset in section.subsets { results[subset.name] = rows(5 + index, of: 10) }
    }
    let overall = try #require(RewardBench(results).overall)
    #expect(abs(overall - 0.65) < 1e-12)
  }

  @Test("an incomplete section says so, an unknown subset is listed beside the sections")
  func incomplete() throws {
    let bench = RewardBench(["mt-bench-hard": rows(3, of: 4), "own": rows(1, of: 2), "none": []])
    let section = try #require(bench.sectionScores.first)
    #expect(section.name == "Chat Hard" && !section.isComplete && section.accuracy == 0.75)
    #expect(bench.subsets.map(\.name) == ["mt-bench-hard", "own"])
    #expect(abs((bench.subsets[0].standardError ?? 0) - (0.75 * 0.25 / 3).squareRoot()) < 1e-12)
    #expect(RewardBench(["x": [1]]).subset("x")?.standardError == nil)
  }
}
