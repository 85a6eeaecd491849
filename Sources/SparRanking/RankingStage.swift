import Foundation
import SparHost
import SparModel
import SparPreference
import SparStore
import SparText

/// Choices of the `rank` stage.
public struct RankingOptions: Equatable, Sendable, Codable {
  public var probabilityRule = ProbabilityRule.meanOfOrders
  public var selection = PairSelection()
  /// Prompts in one call of the ranker, and in one line of the journal.
  public var batchSize = 8
  /// What the ranker is given as the conversation.
  public var input = RankerInput.raw

  public init(
    probabilityRule: ProbabilityRule = .meanOfOrders, selection: PairSelection = PairSelection(),
    batchSize: Int = 8, input: RankerInput = .raw
  ) {
    self.probabilityRule = probabilityRule
    self.selection = selection
    self.batchSize = batchSize
    self.input = input
  }
}

/// What a ranker is given as the conversation before the answers.
public enum RankerInput: String, CaseIterable, Sendable, Codable {
  /// The messages of the prompt file.
  case raw
  /// One user message: the prompt as the policy's own template renders it, BOS and headers and all.
  /// Upstream's ranking scripts did so, and the ranker's template then wraps it again.
  case upstream
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
    let queries = try self.queries(candidates.rows, attributes, path: path)
    let ranked = try run.tables(
      zip(candidates.rows, queries).map { .init(name: $0.promptID, query: $1) },
      inputs: options.input == .raw ? [digest] : [digest, options.input.rawValue],
      journal: output + ".journal", progress: progress, cancelled: cancelled)

    var tally = RankingTally()
    var table = PreferenceTable(K: candidates.K)
    for (index, group) in candidates.rows.enumerated() {
      let answers = group.answers.map {
        PairSelection.Answer(text: $0.text, ids: Array($0.contentIDs), ended: $0.isEnded)
      }
      let (wins, native) = (ranked.tables[index], ranked.native[index])
      let choice = options.selection.choose(wins, answers: answers, prompt: group.promptIndex)
      tally.add(wins, choice, answers: answers, truncated: native.truncated.count { $0 })
      table.append(
        group, wins, choice,
        // A ranker of probabilities has no scores of its own: raw is then their log-odds.
        raw: ranker.givesRawScores ? native.values : wins.logOdds)
    }
    table.components = ranker.mixture.map { .init(name: $0.name, weight: $0.weight) }
    table.componentRaw = ranked.native.flatMap { $0.components.flatMap { $0 } }
    table.failed = Self.marks(ranked.native.map(\.failed), of: candidates.K * candidates.K)
    table.truncated = Self.marks(ranked.native.map(\.truncated), of: candidates.K)
    try PreferencesFile.write(
      to: output, table, attributes: record(path, digest, attributes))
    try ranked.journal.remove()
    return tally.total
  }

  /// Flags of all prompts, `count` each; empty where no prompt has any.
  private static func marks(_ flags: [[Bool]], of count: Int) -> [UInt8] {
    guard flags.contains(where: { !$0.isEmpty }) else { return [] }
    return flags.flatMap { row in
      row.isEmpty ? [UInt8](repeating: 0, count: count) : row.map { $0 ? 1 : 0 }
    }
  }

  private func queries(
    _ groups: [CandidateGroup], _ attributes: [String: AttributeValue], path: String
  ) throws -> [RankQuery] {
    let tokenizer = attributes.text("tokenizer_digest")
    // Ids are rendered already: decoded with their special tokens they are upstream's text.
    let texts = try PromptTexts(keepsSpecialTokens: options.input == .upstream).of(
      groups, attributes, path: path)
    let queries = texts.map { RankQuery($0, answers: $0.answers, tokenizerDigest: tokenizer) }
    let isRendered = groups.map(\.messages.isEmpty)
    guard options.input == .upstream, isRendered.contains(false) else { return queries }
    guard let policy = attributes.text("model") else { throw RankingError.noPolicy }
    let chat = try ModelFiles.open(policy).chat()
    return try zip(queries, isRendered).map { query, isRendered in
      guard !isRendered else { return query }
      var query = query
      let messages = query.messages.map { ChatMessage(role: $0.role, content: $0.content) }
      guard let text = try chat.render(messages, addGenerationPrompt: true) else {
        throw ModelError(.noChatTemplate, path: chat.path)
      }
      query.messages = [(role: "user", content: text)]
      return query
    }
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
      "pair_rule": .string(options.selection.rule.rawValue),
      "pair_seed": .unsigned(options.selection.seed),
      "ranker_input": .string(options.input.rawValue),
      "candidates": .string(path), "candidates_digest": .string(digest),
    ]
    for name in ["model", "model_digest", "tokenizer_digest", "iteration"] {
      if let value = source[name] { record[name] = value }
    }
    return record
  }
}
