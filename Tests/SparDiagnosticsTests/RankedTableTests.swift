import Foundation
import SparDiagnostics
import SparStore
import Testing

@Suite("Diagnostics of files") struct RankedTableTests {
  let folder = FileManager.default.temporaryDirectory.path + "/diagnostics-\(UUID().uuidString)"

  /// Two answers to one prompt; the first is longer and wins.
  private func write() throws -> (preferences: String, candidates: String) {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let candidates = folder + "/candidates.h5"
    func answer(_ ids: [Int32], _ finish: CandidateAnswer.Finish) -> CandidateAnswer {
      CandidateAnswer(
        ids: ids, logps: ids.map { _ in -1 }, finish: finish, text: "\(ids.count) words")
    }
    try CandidatesFile.write(
      to: candidates,
      CandidateTable(
        K: 2,
        rows: [
          CandidateGroup(
            promptIndex: 0, promptID: "one", messages: [], promptIDs: [1],
            answers: [answer([5, 6, 7], .length), answer([5, 2], .stop)])
        ]))
    let preferences = folder + "/preferences.h5"
    var table = PreferenceTable(
      K: 2, promptIndex: [0], promptID: ["one"], raw: [0, 1, -1, 0],
      winProbability: [0.5, 0.7, 0.3, 0.5], logOdds: [0, 0.8, -0.8, 0], rowMean: [0.6, 0.4],
      meanScore: [0.4, -0.4], score: [1, -1], chosen: [0], rejected: [1], status: [.kept])
    table.components = [.init(name: "gpm", weight: 1), .init(name: "length", weight: -0.1)]
    // The one likes the first answer, the other the second, in the mean of both orders.
    table.componentRaw = [0, 2, 1, 0, 0, -1, 0, 0]
    try PreferencesFile.write(
      to: preferences, table,
      attributes: [
        "candidates": .string("elsewhere/candidates.h5"),
        "candidates_digest": .string(try fileDigest(candidates)),
      ])
    return (preferences, candidates)
  }

  @Test("candidates that moved along with the preferences are found, without their end tokens")
  func neighbour() throws {
    let files = try write()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
    let table = try RankedTable.read(files.preferences)
    #expect(table.withoutCandidates == nil)
    #expect(table.statuses == ["kept": 1])
    let answers = try #require(table.prompts.first?.answers)
    #expect(answers.map(\.tokens) == [3, 1])
    #expect(answers.map(\.isEnded) == [false, true])
    #expect(TableDiagnostics(table.prompts).longerWins == 1)
  }

  @Test("candidates that changed since are not used unasked, and refused when asked for")
  func changed() throws {
    let files = try write()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
    try CandidatesFile.write(to: files.candidates, CandidateTable(K: 2, rows: []))
    let table = try RankedTable.read(files.preferences)
    #expect(table.withoutCandidates?.contains("is not the file that was ranked") == true)
    #expect(table.prompts.first?.answers == nil)
    #expect(TableDiagnostics(table.prompts).longerWins == nil)
    #expect(throws: (any Error).self) {
      try RankedTable.read(files.preferences, candidates: files.candidates)
    }
  }

  @Test("rankers of a mix are compared with one another, circles are shown with their answers")
  func mix() throws {
    let files = try write()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
    let table = try RankedTable.read(files.preferences)
    #expect(table.components.map(\.name) == ["gpm", "length"])
    #expect(table.components[0].prompts[0].scores == [0.5, -0.5])
    let found = RankingDiagnostics(table)
    let agreement = try #require(found.agreements.first)
    #expect(agreement.first == "gpm" && agreement.second == "length")
    #expect(agreement.agreement.pairAgreement == 0 && agreement.agreement.sameBest == 0)
    #expect(found.lines.last?.hasPrefix("gpm against length: 1 prompts in both") == true)

    var circle = table
    let p = [0.5, 0.8, 0.3, 0.2, 0.5, 0.9, 0.7, 0.1, 0.5]
    circle.prompts = [
      RankedPrompt(
        id: "round", k: 3, probability: p, raw: p, scores: [3, 2, 1],
        answers: ["a  b", String(repeating: "x", count: 80), ""].map {
          RankedAnswer(text: $0, tokens: 1, isEnded: true)
        })
    ]
    let seen = try #require(RankingDiagnostics(circle).circles.first)
    #expect(seen.example.answers == [0, 1, 2])
    #expect(seen.openings.map(\.count) == [3, RankingDiagnostics.openingLength, 0])
    #expect(seen.openings[0] == "a b" && seen.openings[1].hasSuffix("x…"))
  }
}
