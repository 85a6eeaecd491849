import SparDiagnostics
import SparEvaluation
import SparPipeline
import SparPreference
import SparStore
import SparTraining

/// What a run's folder holds, finished or not.
public struct RunResult: Equatable, Sendable {
  /// A held-out prompt and what one model answered.
  public struct Answered: Equatable, Sendable {
    public var id: String
    public var messages: [CandidateGroup.Message]
    public var answers: [String]
    /// Mean length in tokens, without the end token.
    public var meanTokens: Double
    /// Mean share of repeated runs of four tokens.
    public var repetition: Double
  }

  public struct Check: Equatable, Sendable {
    public var ranker: String
    public var report: WinRateReport
  }

  public struct Iteration: Equatable, Sendable {
    /// Counts from 1.
    public var number: Int
    public var log: [TrainingLogEntry] = []
    public var evaluation: WinRateReport?
    /// The same by other rankers, in the order of their names.
    public var checks: [Check] = []
    /// Held-out answers of the policy after this iteration.
    public var heldout: [Answered] = []
    /// By name: generate, rank, train, heldout, evaluate, check-….
    public var stages: [String: StageLedger.Record] = [:]
    public var ranking: Ranking?
  }

  /// The preferences that an iteration trained on.
  public struct Ranking: Equatable, Sendable {
    public var diagnostics: RankingDiagnostics
    /// As the file says it, without its options.
    public var ranker: String
    /// Which answers were ranked; nil where the file does not tell.
    public var candidatesDigest: String?
    /// The tables, without texts.
    public var prompts: [RankedPrompt]

    init(_ table: RankedTable) {
      diagnostics = RankingDiagnostics(table)
      ranker = table.attributes.text("ranker") ?? ""
      candidatesDigest = table.attributes.text("candidates_digest")
      prompts = table.prompts.map { prompt in
        var bare = prompt
        bare.answers = nil
        return bare
      }
    }
  }

  public var path: String
  /// Nil where run.json is not written yet.
  public var record: RunRecord?
  public var base: [Answered] = []
  public var baseStages: [String: StageLedger.Record] = [:]
  /// How the run's own ranker does on comparisons held out; nil where it trained none.
  public var rankerAccuracy: RankerAccuracyReport?
  public var rankerStages: [String: StageLedger.Record] = [:]
  /// Attributes of base/heldout.h5 that tell the model.
  public var model: String?
  public var modelDigest: String?
  public var iterations: [Iteration] = []
  /// The tables of `spar run`'s own report, over the evaluated iterations.
  public var summary: RunReport?
  /// Files that are there and could not be read, in words.
  public var problems: [String] = []

  public init(path: String) {
    self.path = path
  }

  /// Iterations that the settings ask for.
  public var planned: Int? { record?.settings["iterations"].flatMap { Int($0.value) } }

  public var lastEvaluated: Iteration? { iterations.last { $0.evaluation != nil } }

  /// Whether the last iteration that was asked for is evaluated.
  public var isComplete: Bool {
    guard let last = lastEvaluated else { return false }
    return last.number >= planned ?? .max
  }

  public func setting(_ name: String) -> String? { record?.settings[name]?.value }
}
