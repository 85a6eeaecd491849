import Foundation
import RankerFixtures
import SparHost
import SparPipeline
import SparPreference
import SparRanking
import SparStore
import SparTensor
import Testing

@Suite("Mixes of rankers") struct MixtureTests {
  private let answers = [query("q", ["a", "bbb", "cc dd"])]

  @Test("raw scores add up with their weights, options go to the ranker that they name")
  func sums() throws {
    let mix = PluginChoice(
      "length=-0.1,verifier=2",
      options: ["length.scale": "1", "verifier.rule": "regex", "verifier.pattern": "b"])
    let mixed = try runtime.ranker(mix).compare(answers)[0]
    let length = try ranker("length", ["scale": "1"]).compare(answers)[0].values
    let pattern = try ranker("verifier", ["rule": "regex", "pattern": "b"]).compare(answers)[0]
      .values
    #expect(mixed.components == [length, pattern])
    for cell in 0..<9 {
      #expect(abs(mixed.values[cell] - (-0.1 * length[cell] + 2 * pattern[cell])) < 1e-12)
    }
    let identity = try runtime.ranker(mix).identity
    #expect(identity.id == "length+verifier" && identity.options["length"] == "-0.1")
    #expect(identity.options["verifier.pattern"] == "b")
  }

  @Test(
    "what is no mix is refused in words",
    arguments: [
      ("length=x", [:], "no NAME=WEIGHT"), ("length=0", [:], "other than 0"),
      ("length=1,length=2", [:], "named twice"), ("length=1,verifier", [:], "\"verifier\""),
      ("length=1", ["scale": "1"], "write length.scale"),
      ("length=1", ["gpm.tau": "1"], "names no ranker"),
    ] as [(String, [String: String], String)])
  func refusals(name: String, options: [String: String], words: String) throws {
    #expect { try PluginChoice(name, options: options).rankers() } throws: {
      "\($0)".contains(words) && "\($0)".contains("a mix is written")
    }
  }

  @Test("several weighted --ranker are one mix, of others the last counts") func flags() throws {
    func name(_ flags: [(String, String)]) throws -> String {
      var resolved = ResolvedRecipe()
      try resolved.apply(flags: flags.map { .init(key: $0.0, value: $0.1) })
      return resolved.recipe.ranker.name
    }
    #expect(try name([("ranker", "gpm=1"), ("ranker", "length=-0.1")]) == "gpm=1,length=-0.1")
    #expect(try name([("ranker", "gpm"), ("ranker", "length")]) == "length")
    var resolved = ResolvedRecipe()
    try resolved.apply(flags: [.init(key: "ranker.gpm.tau", value: "0.1")])
    #expect(resolved.recipe.ranker.options == ["gpm.tau": "0.1"])
  }

  @Test("a failure of one ranker is a failure of the mix; the file keeps every part")
  func failures()
    throws
  {
    let k = 3
    let bad = AnswerRanker(
      identity: .init(id: "bad", version: "1"), givesRawScores: true, isCostly: true
    ) { queries in
      queries.map { _ in
        var failed = [Bool](repeating: false, count: k * k)
        (failed[1], failed[3]) = (true, true)
        return AnswerTable([0, 0, 2, 0, 0, 1, -2, -1, 0], failed: failed)
      }
    }
    let mix = AnswerRanker(mixing: [(try ranker("length", ["scale": "1"]), 1), (bad, 10)])
    #expect(mix.isCostly)
    let folder = try Folder()
    let path = folder.file("candidates.h5")
    let group = CandidateGroup(
      promptIndex: 0, promptID: "p", messages: [.init(role: "user", content: "q")],
      promptIDs: [1],
      answers: ["a", "bbb", "cc dd"].enumerated().map {
        CandidateAnswer(ids: [Int32($0), 9], logps: [-1, -1], finish: .stop, text: $1)
      })
    try CandidatesFile.write(to: path, CandidateTable(K: k, rows: [group]))
    let output = folder.file("preferences.h5")
    let summary = try RankingStage(mix).run(candidates: path, output: output)
    #expect(summary.failedPairs == 1)
    let (table, attributes) = try PreferencesFile.read(output)
    #expect(table.components.map(\.name) == ["length", "bad"])
    #expect(table.components.map(\.weight) == [1, 10])
    #expect(table.componentRaw == [0, -2, -4, 2, 0, -2, 4, 2, 0, 0, 0, 2, 0, 0, 1, -2, -1, 0])
    #expect(table.raw == [0, 0, 16, 0, 0, 8, -16, -8, 0])
    #expect(table.failedPairs(of: 0)[1] && table.chosen == [0] && table.rejected == [2])
    #expect(attributes["failed_pairs"] == .int(1) && attributes["ranker"] == .string("length+bad"))
    // Another rule from the stored scores: failures stay failures.
    let derived = folder.file("derived.h5")
    try PairDerivation(rule: .upstreamTable, selection: PairSelection(rule: .maxMargin)).run(
      preferences: output, candidates: path, output: derived)
    let again = try PreferencesFile.read(derived).table
    #expect(again.failed == table.failed && again.logOdds[1] == 0 && again.logOdds[2] == 32)
    #expect(again.componentRaw == table.componentRaw)
  }
}
