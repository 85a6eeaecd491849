import Foundation
import SparData
import SparGeneration
import SparModel
import SparPreference
import SparStore
import SparText

/// Takes over what a run of the published pipeline has generated and ranked.
///
/// Answers are tokenised by the policy's own tokenizer, since only their texts were kept, and get
/// the end token that was dropped; log-probabilities were not kept either and are NaN.
public struct UpstreamImport {
  /// The policy that gave the answers; its weights are not read.
  public var model: String
  /// The prompt set, whole and in its order.
  public var prompts: String
  /// K; nil = as many as there are.
  public var pairs: Int?
  /// An answer of so many tokens was cut there and has no end token.
  public var maxNewTokens = 2048
  public var rendering = PromptRendering.exact
  public var iteration = 1

  public init(model: String, prompts: String) {
    self.model = model
    self.prompts = prompts
  }

  public struct Summary: Encodable, Equatable, Sendable {
    public var prompts: Int
    public var answersPerPrompt: Int
    public var meanTokens: Double
    /// Answers that reached the limit.
    public var cut: Int
    /// Prompts by what became of them; empty where no ranking was imported.
    public var statuses: [String: Int] = [:]
  }

  /// generated/OUT → candidates.h5.
  public func candidates(generated folder: String, output: String) throws -> Summary {
    let answers = try UpstreamFiles.answers(in: folder, pairs: pairs)
    let prompts = try Prompt.read(self.prompts)
    guard answers[0].count == prompts.count else {
      throw DataError(
        path: "\(folder)/responses_0.json",
        what: "it holds \(answers[0].count) answers, \(self.prompts) \(prompts.count) prompts",
        cure: "give the prompt set that generation read, whole and in its order")
    }
    let chat = try ModelFiles.open(model).chat()
    let ends = Array(chat.endIDs.prefix(1))
    var summary = Summary(
      prompts: prompts.count, answersPerPrompt: answers.count, meanTokens: 0, cut: 0)
    var tokens = 0
    let rows = try prompts.enumerated().map { row, prompt in
      CandidateGroup(
        promptIndex: prompt.index, promptID: prompt.id,
        messages: prompt.messages.map { .init(role: $0.role, content: $0.content) },
        promptIDs: try ids(prompt, chat),
        answers: answers.map { texts in
          var ids = chat.tokenizer.encode(texts[row])
          let isCut = ids.count >= maxNewTokens
          if !isCut { ids += ends }
          summary.cut += isCut ? 1 : 0
          tokens += ids.count
          return CandidateAnswer(
            ids: ids, logps: Array(repeating: .nan, count: ids.count),
            finish: isCut ? .length : .stop, text: texts[row])
        }, row: prompt.row)
    }
    summary.meanTokens = Double(tokens) / Double(max(1, prompts.count * answers.count))
    var attributes: [String: AttributeValue] = [
      "model": .string(model), "tokenizer_digest": .string(chat.tokenizer.digest),
      "max_new_tokens": .int(Int64(maxNewTokens)), "iteration": .int(Int64(iteration)),
      "imported_from": .string(folder),
    ]
    if rendering != .exact { attributes["render"] = .string(rendering.rawValue) }
    try CandidatesFile.write(
      to: output, CandidateTable(K: answers.count, rows: rows), attributes: attributes)
    return summary
  }

  private func ids(_ prompt: Prompt, _ chat: ChatEncoder) throws -> [Int32] {
    switch rendering {
    case .upstream: return try UpstreamRendering(chat).generationPrompt(prompt.messages)
    case .exact:
      guard let text = try chat.render(prompt.messages, addGenerationPrompt: true) else {
        throw ModelError(.noChatTemplate, path: chat.path)
      }
      return chat.tokenizer.encode(text)
    }
  }

  /// ranking/OUT → preferences.h5 for the candidates.
  ///
  /// From tables M if there are any, by `rule` (nil = `upstream-table`); else from the scores S,
  /// which know the rule `upstream-score` only.  Returns the number of prompts by status.
  public static func preferences(
    ranking folder: String, candidates path: String, rule: ProbabilityRule?,
    selection: PairSelection, output: String
  ) throws -> [String: Int] {
    let (candidates, source) = try CandidatesFile.read(path)
    let (n, k) = (candidates.rows.count, candidates.K)
    let tables = try UpstreamFiles.rows(in: folder, suffix: "_table")
    let scores = try UpstreamFiles.rows(in: folder, suffix: "")
    try tables?.require(prompts: n, k: k, candidates: path)
    try scores?.require(prompts: n, k: k, candidates: path)
    guard tables != nil || scores != nil else {
      throw DataError(
        path: folder, what: "no {gpu}_{shard}.npy or {gpu}_{shard}_table.npy in it",
        cure: "name the folder that ranking wrote, ranking/OUT, or rank with `spar rank`")
    }
    let rule = rule ?? (tables == nil ? .upstreamScore : .upstreamTable)
    if tables == nil, rule != .upstreamScore { throw PairDerivation.Failure.scoresOnly(folder) }
    var table = PreferenceTable(K: k)
    for (row, group) in candidates.rows.enumerated() {
      let wins = try Self.table(row, tables, scores, rule: rule, k: k)
      let choice = selection.choose(
        wins, answers: group.selectable, prompt: group.promptIndex)
      table.append(
        group, wins, choice, raw: tables?[row] ?? wins.logOdds.map { $0 / 2 })
    }
    var attributes: [String: AttributeValue] = [
      "ranker": .string("upstream"), "imported_from": .string(folder),
      "ranker_gives": .string(
        tables == nil ? PairDerivation.scoresOnly : "raw scores"),
      "probability_rule": .string(rule.rawValue), "pair_rule": .string(selection.rule.rawValue),
      "pair_seed": .unsigned(selection.seed), "min_margin": .double(selection.minMargin),
      "drop_truncated": .int(selection.dropTruncated ? 1 : 0), "candidates": .string(path),
      "candidates_digest": .string(try fileDigest(path)),
    ]
    for name in ["model", "tokenizer_digest", "iteration"] {
      if let value = source[name] { attributes[name] = value }
    }
    try PreferencesFile.write(to: output, table, attributes: attributes)
    return Dictionary(table.status.map { ("\($0)", 1) }, uniquingKeysWith: +)
  }

  private static func table(
    _ row: Int, _ tables: UpstreamFiles.Rows?, _ scores: UpstreamFiles.Rows?,
    rule: ProbabilityRule, k: Int
  ) throws -> WinTable {
    guard let raw = tables?[row] else { return try WinTable(scores: scores?[row] ?? []) }
    guard let stored = scores?[row] else { return try WinTable(raw: raw, k: k, rule: rule) }
    // S in half precision differs from the table's in the third digit; files of two runs do so in
    // the first.
    for (i, score) in ProbabilityRule.scores(raw: raw, k: k).enumerated()
    where abs(score - stored[i]) > 0.05 * max(1, abs(score)) {
      throw DataError(
        path: scores?.path ?? "", place: "prompt \(row)",
        what: "answer \(i) has the score \(stored[i]), and by its table \(score)",
        cure: "scores and tables are of two rankings: remove the files of one")
    }
    if rule == .upstreamScore { return try WinTable(scores: stored) }
    return try WinTable(raw: raw, k: k, rule: rule, scores: stored)
  }
}

extension CandidateGroup {
  /// Its answers as the choice of pairs sees them.
  var selectable: [PairSelection.Answer] {
    answers.map {
      PairSelection.Answer(text: $0.text, ids: Array($0.contentIDs), ended: $0.isEnded)
    }
  }
}
