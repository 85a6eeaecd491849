import SparData
import SparText
import SparTraining
import Testing

/// One id per character; conversations get their roles' first letters, answers a 2 at the end.
private struct Letters: PairEncoder {
  var beginID: Int32? = 1

  func text(_ text: String) -> [Int32] { text.unicodeScalars.map { Int32($0.value) } }
  func prompt(_ messages: [PairMessage]) -> [Int32] {
    [1] + messages.flatMap { text(String($0.role.prefix(1)) + $0.content) }
  }
  func answer(_ text: String) -> [Int32] { self.text(text) + [2] }
}

@Suite("Pairs of data files of other forms") struct DataPairsTests {
  private func read(
    _ text: String, _ options: TrainingOptions = TrainingOptions(), columns: [String] = [],
    readsLogOdds: Bool = false
  ) throws -> (groups: [TrainingGroup], counts: [MixtureReader.Count]) {
    let path = try temporaryFolder() + "/rows.jsonl"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return try PairsFile.read(
      PairsSource(
        mixture: DataMixture(path), mapping: ColumnMapping(columns), readsLogOdds: readsLogOdds),
      encoder: Letters(), options: options)
  }

  /// SPPO's table of the specification's example, whose circle makes 2 the best by its row.
  private static let table =
    #"{"prompt": "q", "generate_0": "a", "generate_1": "b", "generate_2": "c", "probability": "#
    + "[[0.5, 0.25, 0.75], [0.75, 0.5, 0.5], [0.25, 0.5, 0.5]], \"rm_scores\": [0.4, -0.1, -0.3]}"

  @Test("candidates: best and worst by rm_scores, win rates by the table")
  func candidates() throws {
    let group = try read(Self.table).groups[0]
    #expect(group.answers.map(\.ids) == [[97, 2], [99, 2]])
    #expect(group.answers.map(\.label) == [1, -1])
    #expect(group.answers.map(\.winProb) == [0.5, 1.25 / 3])
    #expect(group.pairwise == [0.5, 0.75, 0.25, 0.5])
    #expect(group.columns["score"] == [0.4, -0.3])
    var options = TrainingOptions()
    options.pairing = .allPairs
    let all = try read(Self.table, options).groups[0]
    #expect(
      all.terms
        == .pairs([
          TrainingPair(chosen: 0, rejected: 1), TrainingPair(chosen: 0, rejected: 2),
          TrainingPair(chosen: 1, rejected: 2),
        ]))
    let byTable = Self.table.replacing(", \"rm_scores\": [0.4, -0.1, -0.3]", with: "")
    #expect(try read(byTable).groups[0].answers.map(\.ids) == [[98, 2], [99, 2]])
  }

  @Test("candidates with log-odds: the diagonal of 0 tells them, their means are exact")
  func logOddsTable() throws {
    // W of the specification's example; its row means are S.
    let line = Self.table.replacing(
      "[[0.5, 0.25, 0.75], [0.75, 0.5, 0.5], [0.25, 0.5, 0.5]]",
      with: "[[0, 2.1, -0.9], [-2.1, 0, 1.8], [0.9, -1.8, 0]]")
    var options = TrainingOptions()
    options.pairing = .allAnswers
    let group = try read(line, options).groups[0]
    for (answer, score) in zip(group.answers, [0.4, -0.1, -0.3]) {
      #expect(abs(answer.meanScore - score) < 1e-12)
    }
    #expect(group.score == [0, 2.1, -0.9, -2.1, 0, 1.8, 0.9, -1.8, 0])
    // The golden row means of P.
    for (answer, mean) in zip(group.answers, [0.5599846, 0.4890819, 0.4509335]) {
      #expect(abs(answer.winProb - mean) < 1e-7)
    }
  }

  @Test("pairs with log-odds, as the published data for GPO")
  func logOddsPair() throws {
    let line =
      #"{"prompt": "q", "chosen": "a", "rejected": "b", "chosen_probs": -0.9, "#
      + #""chosen_probs_win": 1.6, "chosen_probs_lose": -2.4}"#
    let group = try read(line, readsLogOdds: true).groups[0]
    #expect(group.answers.map(\.meanScore) == [1.6, -2.4])
    #expect(group.score == [0, -0.9, 0.9, 0])
    #expect(abs(group.pairwise[1] - 0.2890505) < 1e-7)
    let error = try #require(#expect(throws: TrainingError.self) { try read(line) })
    #expect("\(error)".contains("--log-odds"), "\(error)")
    for (text, message) in [
      (line.replacing(#", "chosen_probs_lose": -2.4"#, with: ""), "chosen_probs_lose is missing"),
      (Self.table, "leave --log-odds out"),
    ] {
      let error = try #require(
        #expect(throws: TrainingError.self) { try read(text, readsLogOdds: true) })
      #expect("\(error)".contains(message), "\(error)")
    }
  }

  @Test("other columns' names, and a mixture's counts")
  func mapping() throws {
    let found = try read(
      #"{"q": "ab", "good": "c", "bad": "d"}"#,
      columns: ["prompt=q", "chosen=good", "rejected=bad"])
    #expect(found.groups[0].promptIDs == [97, 98])
    #expect(found.counts.map(\.rows) == [1] && found.counts[0].form == "pairs")
  }

  @Test(
    "what cannot be trained on says why",
    arguments: [
      (#"{"prompt": "a", "completion": "b"}"#, "holds completions (columns prompt, completion)"),
      (Self.table.replacing("0.25, 0.75]", with: "0.25, 7]"), "log-odds (the scores of GPO)"),
      (
        Self.table.replacing(
          "[[0.5, 0.25, 0.75], [0.75, 0.5, 0.5], [0.25, 0.5, 0.5]]",
          with: "[[0, 0.25, 0.75], [0.75, 0, 0.5], [0.25, 0.5, 0]]"),
        "these are log-odds, which differ in sign only"
      ),
      (Self.table.replacing("[0.4, -0.1, -0.3]", with: "[1, 1, 1]"), "the same score"),
      (Self.table.replacing("[0.4, -0.1, -0.3]", with: "[1]"), "rm_scores must be 3 numbers"),
    ])
  func wrong(line: String, message: String) throws {
    let error = try #require(#expect(throws: TrainingError.self) { try read(line) })
    #expect("\(error)".contains(message), "\(error)")
  }

  @Test("the published truncation cuts both answers, and forgets their references")
  func upstream() throws {
    var options = TrainingOptions()
    options.rendering = .upstream
    options.maxLength = 8
    options.maxPromptLength = 4
    let line =
      #"{"prompt": "abc", "chosen": "123456", "rejected": "12", "ref_chosen_logps": -1, "#
      + #""ref_rejected_logps": -2}"#
    let group = try read(line, options).groups[0]
    #expect(group.promptIDs == [97, 98, 99])
    #expect(group.answers.map(\.ids.count) == [4, 3])
    #expect(group.answers.map(\.refLogp) == [nil, -2])
  }
}
