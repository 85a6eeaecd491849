import Foundation
import SparDiagnostics
import SparEvaluation
import SparStore

/// What came out of a run: figures by iteration, answers before and after, doubts.
public struct RunReport: Codable, Equatable, Sendable {
  public struct Iteration: Codable, Equatable, Sendable {
    public var iteration: Int
    public var pairs: Int
    /// Mean over the first and the last logged steps; nil where nothing was logged.
    public var firstLoss: Double?
    public var lastLoss: Double?
    public var winRate: Double
    public var interval: ConfidenceInterval
    /// Tokens of a held-out answer.
    public var meanLength: Double
    public var generateTokensPerSecond: Double?
    public var rankTokensPerSecond: Double?
    public var trainTokensPerSecond: Double?
    public var seconds: Double
    public var checkpoint: String
    /// The same answers by other rankers than the run's; nil = none were asked.
    public var judges: [Judge]?
    /// What tells whether the ranker is being gamed: length, endings, repetition.
    public var checks: String
    public var warnings: [String]
    /// What the ranking is like that was trained on; nil where it was not looked at.
    public var ranking: RankingDiagnostics?
  }
  /// What another ranker than the run's says about the same held-out answers.
  public struct Judge: Codable, Equatable, Sendable {
    public var ranker: String
    public var winRate: Double
    public var interval: ConfidenceInterval
  }
  public struct Example: Codable, Equatable, Sendable {
    public var prompt: String
    public var before: String
    public var after: String
  }

  public var outputDir: String
  public var objective: String
  public var ranker: String
  public var baseLength: Double
  public var iterations: [Iteration]
  public var examples: [Example]
  /// Of the ranker that the run has trained; nil where it trains none or holds nothing out.
  public var rankerAccuracy: RankerAccuracyReport?
  /// What making it took; nil where the run trains none.
  public var rankerSeconds: Double?

  init(_ run: SelfPlayRun) throws {
    try self.init(
      directory: run.directory, objective: run.recipe.objective.name,
      ranker: run.ranker().identity.description, iterations: run.recipe.run.iterations,
      examples: run.recipe.evaluate.examples)
  }

  /// Reads what the first `iterations` iterations in `directory` left; each must be evaluated.
  ///
  /// - Parameters:
  ///   - examples: prompts whose answers are read, too.
  ///   - diagnoses: whether the rankings are looked at.
  public init(
    directory: RunDirectory, objective: String, ranker: String, iterations count: Int,
    examples exampleCount: Int, diagnoses: Bool = true
  ) throws {
    outputDir = directory.root
    self.objective = objective
    self.ranker = ranker
    baseLength = 0
    iterations = []
    examples = []
    if FileManager.default.fileExists(atPath: directory.ranker.ledger) {
      rankerSeconds = try StageLedger(path: directory.ranker.ledger).all.values.reduce(0) {
        $0 + ($1.figures["seconds"] ?? 0)
      }
    }
    let accuracy = directory.ranker.accuracy
    if FileManager.default.fileExists(atPath: accuracy) {
      rankerAccuracy = try RankerAccuracyReport.read(accuracy)
    }
    for t in 1...count {
      let folder = directory.iteration(t)
      let evaluation = try WinRateReport(
        json: Data(contentsOf: URL(fileURLWithPath: folder.evaluation)))
      baseLength = evaluation.base.meanTokens
      let ledger = try StageLedger(path: folder.ledger)
      let judges = try StageLedger.judges(ledger.all).map { name in
        let report = try WinRateReport(
          json: Data(contentsOf: URL(fileURLWithPath: folder.evaluation(by: name))))
        return Judge(ranker: name, winRate: report.value, interval: report.interval)
      }
      func figure(_ stage: RunStage, _ name: String) -> Double? {
        ledger.record(of: stage.rawValue)?.figures[name]
      }
      var ranking: RankingDiagnostics? = nil
      if diagnoses { ranking = RankingDiagnostics(try RankedTable.read(folder.preferences)) }
      let stages =
        RunStage.allCases.map(\.rawValue) + ["heldout"] + judges.map { RunTarget.check + $0.ranker }
      iterations.append(
        Iteration(
          iteration: t, pairs: Int(figure(.rank, "pairs") ?? 0),
          firstLoss: figure(.train, "first_loss"), lastLoss: figure(.train, "last_loss"),
          winRate: evaluation.value, interval: evaluation.interval,
          meanLength: evaluation.policy.meanTokens,
          generateTokensPerSecond: figure(.generate, "tokens_per_second"),
          rankTokensPerSecond: figure(.rank, "tokens_per_second"),
          trainTokensPerSecond: figure(.train, "tokens_per_second"),
          seconds: stages.reduce(0) { $0 + (ledger.record(of: $1)?.figures["seconds"] ?? 0) },
          checkpoint: folder.path + "/" + (ledger.record(of: "train")?.output ?? ""),
          judges: judges.isEmpty ? nil : judges,
          checks: Self.checks(evaluation), warnings: evaluation.warnings,
          ranking: ranking))
    }
    if exampleCount > 0 {
      examples = try Self.examples(directory, iteration: count, count: exampleCount)
    }
  }

  /// The first answers to the first held-out prompts, of the base and of the last policy.
  private static func examples(
    _ directory: RunDirectory, iteration: Int, count: Int
  ) throws -> [Example] {
    let before = try CandidatesFile.read(directory.base.heldout).table.rows
    let after = try CandidatesFile.read(directory.iteration(iteration).heldout).table.rows
    return zip(before, after).prefix(count).map { before, after in
      Example(
        prompt: before.messages.map(\.content).joined(separator: "\n"),
        before: before.answers.first?.text ?? "", after: after.answers.first?.text ?? "")
    }
  }
}
