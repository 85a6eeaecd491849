import Foundation
import SparHost
import SparPreference
import SparStore

/// The `evaluate` stage: a policy's answers against a base's on held-out prompts, judged by a
/// ranker, into evaluation.json.
public struct WinRate {
  public struct Options: Equatable, Sendable, Codable {
    public var probabilityRule = ProbabilityRule.meanOfOrders
    public var bootstrap = Bootstrap()
    /// Prompts in one call of the ranker.
    public var batchSize = 8

    public init(
      probabilityRule: ProbabilityRule = .meanOfOrders, bootstrap: Bootstrap = Bootstrap(),
      batchSize: Int = 8
    ) {
      self.probabilityRule = probabilityRule
      self.bootstrap = bootstrap
      self.batchSize = batchSize
    }
  }

  private let ranker: AnswerRanker
  private let options: Options
  private let texts: PromptReading

  /// Gives prompts that are token ids the messages that rankers read; the path is for errors.
  public typealias PromptReading = (
    _ groups: [CandidateGroup], _ attributes: [String: AttributeValue], _ path: String
  ) throws -> [CandidateGroup]

  /// - Parameter texts: by default the prompts have messages.
  public init(
    _ ranker: AnswerRanker, _ options: Options = Options(),
    texts: @escaping PromptReading = { groups, _, _ in groups }
  ) {
    self.ranker = ranker
    self.options = options
    self.texts = texts
  }

  /// Compares two candidates.h5 of the same prompts and writes `output`.
  ///
  /// Ranked batches are journaled beside the output, so a killed run goes on where it was.
  /// - Throws: `EvaluationError`, `RankingError`, `StoreError`, and what the ranker throws.
  @discardableResult
  public func run(
    policy: String, base: String, output: String, progress: ProgressHandler = { _ in },
    cancelled: () -> Bool = { false }
  ) throws -> WinRateReport {
    let ours = try AnswerFile(policy, texts)
    let theirs = try AnswerFile(base, texts)
    let pairs = try Self.match(ours, theirs)
    // Ids are of use to a ranker only when they are of one tokenizer.
    let tokenizer = ours.tokenizerDigest == theirs.tokenizerDigest ? ours.tokenizerDigest : nil
    let run = RankingRun(
      ranker: ranker, rule: options.probabilityRule, batchSize: options.batchSize,
      stage: "evaluate")
    let ranked = try run.tables(
      pairs.map { policy, base in
        .init(
          name: policy.promptID,
          query: RankQuery(
            policy, answers: policy.answers + base.answers, tokenizerDigest: tokenizer))
      },
      inputs: [ours.digest, theirs.digest], journal: output + ".journal", progress: progress,
      cancelled: cancelled)
    let compared = zip(pairs, ranked.tables).filter { pair, table in
      let (policy, base) = (pair.policy.answers.indices, pair.base.answers.indices)
      return policy.allSatisfy { i in
        base.allSatisfy { table.isCompared(i, policy.count + $0) }
      }
    }
    guard !compared.isEmpty else {
      throw EvaluationError.nothingCompared(ranker: ranker.identity.id, prompts: pairs.count)
    }
    let outcomes = compared.map { pair, table in
      PromptOutcome(
        prompt: pair.policy.promptID, table: table,
        policy: pair.policy.answers.map(PromptOutcome.Answer.init),
        base: pair.base.answers.map(PromptOutcome.Answer.init))
    }
    let report = WinRateReport(
      outcomes: outcomes, policy: ours.facts, base: theirs.facts,
      ranker: ranker.identity.description, rule: options.probabilityRule,
      bootstrap: options.bootstrap, failedPrompts: pairs.count - compared.count)
    let json = try report.json()
    try AtomicFile.writeBytes(to: output, doing: "writing the evaluation") { file in
      try json.withUnsafeBytes { try file.write($0) }
    }
    try ranked.journal.remove()
    return report
  }

  /// The groups of the same prompts, in the order of the policy's file.
  private static func match(
    _ ours: AnswerFile, _ theirs: AnswerFile
  ) throws(EvaluationError) -> [(policy: CandidateGroup, base: CandidateGroup)] {
    guard !ours.groups.isEmpty else { throw .noPrompts(path: ours.path) }
    let others = Dictionary(
      theirs.groups.map { ($0.promptIndex, $0) }, uniquingKeysWith: { first, _ in first })
    var pairs: [(policy: CandidateGroup, base: CandidateGroup)] = []
    for group in ours.groups {
      guard let other = others[group.promptIndex], other.messages == group.messages else {
        throw .otherPrompts(policy: ours.path, base: theirs.path, prompt: group.promptID)
      }
      pairs.append((group, other))
    }
    guard theirs.groups.count == ours.groups.count else {
      throw .counts(
        policy: ours.path, ours.groups.count, base: theirs.path, theirs.groups.count)
    }
    return pairs
  }
}

/// A candidates.h5 as one side of the comparison.
private struct AnswerFile {
  var path: String
  var digest: String
  var groups: [CandidateGroup]
  var tokenizerDigest: String?
  var facts: AnswerFacts

  init(_ path: String, _ texts: WinRate.PromptReading) throws {
    let (table, attributes) = try CandidatesFile.read(path)
    self.path = path
    digest = try fileDigest(path)
    groups = try texts(table.rows, attributes, path)
    tokenizerDigest = attributes.text("tokenizer_digest")
    let answers = groups.flatMap(\.answers)
    func mean(_ value: (CandidateAnswer) -> Double) -> Double {
      answers.reduce(0) { $0 + value($1) } / Double(max(answers.count, 1))
    }
    facts = AnswerFacts(
      candidates: path, model: attributes.text("model") ?? "(unknown)",
      modelDigest: attributes.text("model_digest") ?? "(unknown)", answers: answers.count,
      meanTokens: mean { Double($0.contentIDs.count) },
      repetition: mean { Repetition.rate($0.contentIDs) },
      ended: mean { $0.isEnded ? 1 : 0 },
      empty: mean { $0.text.allSatisfy(\.isWhitespace) ? 1 : 0 })
  }
}

extension PromptOutcome.Answer {
  fileprivate init(_ answer: CandidateAnswer) {
    self.init(text: answer.text, tokens: answer.contentIDs.count)
  }
}

/// Two files that cannot be compared.
public enum EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
  case noPrompts(path: String)
  case nothingCompared(ranker: String, prompts: Int)
  case otherPrompts(policy: String, base: String, prompt: String)
  case counts(policy: String, Int, base: String, Int)

  public var description: String {
    switch self {
    case .noPrompts(let path):
      "\(path) holds no prompts: there is nothing to compare"
    case .nothingCompared(let ranker, let prompts):
      "ranker \(ranker) could compare the answers of none of \(prompts) prompts"
    case .otherPrompts(let policy, let base, let prompt):
      "prompt \(prompt) of \(policy) is not in \(base), or reads otherwise there: "
        + "generate both from the same prompt file"
    case .counts(let policy, let ours, let base, let theirs):
      "\(policy) holds \(ours) prompts, \(base) holds \(theirs): "
        + "generate both from the same prompt file"
    }
  }
}
