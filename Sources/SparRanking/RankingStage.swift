import Foundation
import SparHost
import SparPreference
import SparStore

/// Choices of the `rank` stage.
public struct RankingOptions: Equatable, Sendable, Codable {
  public var probabilityRule = ProbabilityRule.meanOfOrders
  public var selection = PairSelection()
  /// Prompts in one call of the ranker, and in one line of the journal.
  public var batchSize = 8

  public init(
    probabilityRule: ProbabilityRule = .meanOfOrders, selection: PairSelection = PairSelection(),
    batchSize: Int = 8
  ) {
    self.probabilityRule = probabilityRule
    self.selection = selection
    self.batchSize = batchSize
  }
}

/// The `rank` stage: candidates.h5 and a ranker give preferences.h5.
///
/// Finished batches go to a journal beside the output at once; a run that was killed goes on from
/// there, and the file appears under its name only when it is complete.
public struct RankingStage {
  private let ranker: AnswerRanker
  private let options: RankingOptions

  public init(_ ranker: AnswerRanker, _ options: RankingOptions = RankingOptions()) {
    self.ranker = ranker
    self.options = options
  }

  /// - Throws: `RankingError`, `StoreError`, `JournalError`, and what the ranker throws.
  @discardableResult
  public func run(
    candidates path: String, output: String, progress: ProgressHandler = { _ in },
    cancelled: () -> Bool = { false }
  ) throws -> RankingSummary {
    let (candidates, attributes) = try CandidatesFile.read(path)
    guard !candidates.rows.isEmpty else { throw RankingError.noPrompts(path: path) }
    guard candidates.K > 1 else { throw RankingError.tooFewAnswers(path: path, k: candidates.K) }
    let digest = try fileDigest(path)
    let run = RankingRun(
      ranker: ranker, rule: options.probabilityRule, batchSize: options.batchSize, stage: "rank")
    let tokenizer = attributes.text("tokenizer_digest")
    let ranked = try run.tables(
      candidates.rows.map {
        .init(
          name: $0.promptID,
          query: RankQuery($0, answers: $0.answers, tokenizerDigest: tokenizer))
      },
      inputs: [digest], journal: output + ".journal", progress: progress, cancelled: cancelled)

    var tally = RankingTally()
    var table = PreferenceTable(K: candidates.K)
    for (index, group) in candidates.rows.enumerated() {
      let answers = group.answers.map {
        PairSelection.Answer(text: $0.text, ids: Array($0.contentIDs), ended: $0.isEnded)
      }
      let choice = options.selection.choose(scores: ranked.tables[index].scores, answers: answers)
      tally.add(ranked.tables[index], choice, answers: answers)
      table.append(
        group, ranked.tables[index], choice,
        // A ranker of probabilities has no scores of its own: raw is then their log-odds.
        raw: ranker.givesRawScores ? ranked.native[index] : ranked.tables[index].logOdds)
    }
    try PreferencesFile.write(
      to: output, table, attributes: record(path, digest, attributes))
    try ranked.journal.remove()
    return tally.total
  }

  /// What the preferences were made from and how.
  private func record(
    _ path: String, _ digest: String, _ source: [String: AttributeValue]
  ) -> [String: AttributeValue] {
    var record: [String: AttributeValue] = [
      "ranker": .string(ranker.identity.id),
      "ranker_version": .string(ranker.identity.version),
      "ranker_options": .string(ranker.identity.optionText),
      "ranker_gives": .string(ranker.givesRawScores ? "raw scores" : "probabilities"),
      "probability_rule": .string(options.probabilityRule.rawValue),
      "min_margin": .double(options.selection.minMargin),
      "drop_truncated": .int(options.selection.dropTruncated ? 1 : 0),
      "candidates": .string(path), "candidates_digest": .string(digest),
    ]
    for name in ["model", "model_digest", "tokenizer_digest", "iteration"] {
      if let value = source[name] { record[name] = value }
    }
    return record
  }
}

extension PreferenceTable {
  fileprivate init(K: Int) {
    self.init(
      K: K, promptIndex: [], promptID: [], raw: [], winProbability: [], logOdds: [], rowMean: [],
      meanScore: [], score: [], chosen: [], rejected: [], status: [])
  }

  fileprivate mutating func append(
    _ group: CandidateGroup, _ wins: WinTable, _ choice: PairSelection.Choice, raw: [Double]
  ) {
    promptIndex.append(group.promptIndex)
    promptID.append(group.promptID)
    self.raw += raw
    winProbability += wins.probability
    logOdds += wins.logOdds
    rowMean += wins.winRates
    meanScore += wins.meanScores
    score += wins.scores
    chosen.append(choice.chosen ?? -1)
    rejected.append(choice.rejected ?? -1)
    status.append(choice.status)
  }
}
