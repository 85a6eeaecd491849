import Foundation
import SparStore
import SparTraining
import Testing

@Suite("Pairs of stored preferences") struct StoredPreferencesTests {
  /// One kept prompt and one tie, of three answers each; `texts` are those of the first.
  private func files(
    texts: [String] = ["a", "b", "c"], margin: Double = 0, render: String? = nil
  ) throws -> (preferences: String, candidates: String) {
    let folder = try temporaryFolder()
    let (p, c) = (folder + "/preferences.h5", folder + "/candidates.h5")
    let rows = (0..<2).map { row in
      let answers = (0..<3).map { index in
        CandidateAnswer(
          ids: [Int32(10 * row + index), 2], logps: [-1, -0.5 * Float(index)], finish: .stop,
          text: row == 0 ? texts[index] : "t")
      }
      return CandidateGroup(
        promptIndex: row, promptID: "p\(row)", messages: [], promptIDs: [Int32(row), 9],
        answers: answers)
    }
    var attributes: [String: AttributeValue] = ["model_digest": "m1", "tokenizer_digest": "t1"]
    if let render { attributes["render"] = .string(render) }
    try CandidatesFile.write(
      to: c, CandidateTable(K: 3, rows: rows), attributes: attributes)
    let table = PreferenceTable(
      K: 3, promptIndex: [0, 1], promptID: ["p0", "p1"],
      raw: Array(repeating: 0, count: 18),
      winProbability: [0.5, 0.1, 0.2, 0.9, 0.5, 0.7, 0.8, 0.3, 0.5]
        + Array(repeating: 0.5, count: 9),
      logOdds: [0, -2, -1, 2, 0, 1, 1, -1, 0] + Array(repeating: 0, count: 9),
      rowMean: [0.27, 0.7, 0.53, 0.5, 0.5, 0.5], meanScore: [-1, 1, 0, 0, 0, 0],
      score: [-1, 1, 0, 0, 0, 0], chosen: [1, -1], rejected: [0, -1], status: [.kept, .tie])
    try PreferencesFile.write(
      to: p, table,
      attributes: ["candidates_digest": .string(try fileDigest(c)), "min_margin": .double(margin)])
    return (p, c)
  }

  @Test("kept rows become pairs with their part of the tables")
  func pairs() throws {
    let (preferences, candidates) = try files()
    let stored = try StoredPreferences(preferences: preferences, candidates: candidates)
    let groups = try stored.groups(TrainingOptions(), modelDigest: "m1")
    #expect(groups.count == 1)
    #expect(groups[0].terms == .labels)
    #expect(groups[0].promptIDs == [0, 9])
    #expect(groups[0].answers.map(\.ids) == [[1, 2], [0, 2]])
    #expect(groups[0].answers.map(\.winProb) == [0.7, 0.27])
    #expect(groups[0].answers.map(\.meanScore) == [1, -1])
    #expect(groups[0].answers.map(\.label) == [1, -1])
    #expect(groups[0].answers.allSatisfy { $0.refLogp == nil })
    #expect(groups[0].pairwise == [0.5, 0.9, 0.1, 0.5])
    #expect(groups[0].score == [0, 2, -2, 0])
  }

  @Test("answers that were rendered in another way than training is set to are refused")
  func rendering() throws {
    let (preferences, candidates) = try files(render: "upstream")
    let stored = try StoredPreferences(preferences: preferences, candidates: candidates)
    #expect(
      throws: TrainingError.rendering(path: candidates, found: "upstream", set: "exact")
    ) {
      try stored.groups(TrainingOptions(), modelDigest: "m1")
    }
    var options = TrainingOptions()
    options.rendering = .upstream
    #expect(try stored.groups(options, modelDigest: "m1").count == 1)
  }

  @Test("all answers can be trained, with the sampler's log-probabilities if it is the model")
  func allAnswers() throws {
    let (preferences, candidates) = try files()
    let stored = try StoredPreferences(preferences: preferences, candidates: candidates)
    var options = TrainingOptions()
    options.pairing = .allAnswers
    options.referenceFromGeneration = true
    let group = try stored.groups(options, modelDigest: "m1")[0]
    #expect(group.terms == .answers)
    #expect(group.answers.map(\.label) == [-1, 1, 0])
    #expect(group.answers.map(\.refLogp) == [-1, -1.5, -2])
    #expect(group.answers[2].tokenRefLogps == [-1, -1])
    #expect(group.pairwise == [0.5, 0.1, 0.2, 0.9, 0.5, 0.7, 0.8, 0.3, 0.5])
    let other = try stored.groups(options, modelDigest: "another")[0]
    #expect(other.answers.allSatisfy { $0.refLogp == nil && $0.tokenRefLogps.isEmpty })
  }

  @Test("all pairs are those whose scores differ by more than the ranking's margin")
  func allPairs() throws {
    var options = TrainingOptions()
    options.pairing = .allPairs
    func group(_ files: (preferences: String, candidates: String)) throws -> TrainingGroup {
      try StoredPreferences(preferences: files.preferences, candidates: files.candidates)
        .groups(options, modelDigest: "m1")[0]
    }
    let every = try group(files())
    #expect(
      every.terms
        == .pairs([
          TrainingPair(chosen: 1, rejected: 0), TrainingPair(chosen: 2, rejected: 0),
          TrainingPair(chosen: 1, rejected: 2),
        ]))
    #expect(every.answers.map(\.winProb) == [0.27, 0.7, 0.53])
    // Scores -1, 1, 0: only the outer two are 2 apart, and the third is not forwarded.
    let wide = try group(files(margin: 1.5))
    #expect(wide.terms == .pairs([TrainingPair(chosen: 1, rejected: 0)]))
    #expect(wide.answers.map(\.ids) == [[0, 2], [1, 2]])
    #expect(wide.pairwise == [0.5, 0.1, 0.9, 0.5])
    // Of equal texts the first one counts.
    let repeated = try group(files(texts: ["a", "b", "b"]))
    #expect(repeated.terms == .pairs([TrainingPair(chosen: 1, rejected: 0)]))
    // A prompt that is kept by another measure, and has no two scores that differ, is left out.
    #expect(throws: TrainingError.self) { try group(files(margin: 3)) }
  }

  @Test("preferences of other candidates are refused")
  func disagreement() throws {
    let (preferences, candidates) = try files()
    var (table, attributes) = try CandidatesFile.read(candidates)
    table.rows[0].promptIDs = [5]
    try CandidatesFile.write(to: candidates, table, attributes: attributes)
    let error = try #require(
      #expect(throws: TrainingError.self) {
        try StoredPreferences(preferences: preferences, candidates: candidates)
      })
    #expect("\(error)".contains("digest"))
    attributes = [:]
  }
}
