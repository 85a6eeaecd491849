import Foundation
import SparData
import SparHost
import SparModel
import SparStore
import SparText
import SparTraining

/// What is trained on.
public enum TrainingData: Equatable, Sendable {
  /// preferences.h5 and the candidates.h5 that it ranks.
  case stored(preferences: String, candidates: String)
  /// Pairs of data files, which the doctor examines first.
  case pairs(PairsSource, doctor: DoctorPolicy)

  /// The candidates.h5 that a preferences.h5 ranks: where it says, else in its own folder.
  public static func candidates(of preferences: String) throws -> String {
    let attributes = try PreferencesFile.read(preferences).attributes
    guard case .string(let named)? = attributes["candidates"] else { return "candidates.h5" }
    let folder = (preferences as NSString).deletingLastPathComponent as NSString
    let beside = folder.appendingPathComponent((named as NSString).lastPathComponent)
    return [named, beside].first { FileManager.default.fileExists(atPath: $0) } ?? named
  }
}

/// What the doctor's errors do to training.
public struct DoctorPolicy: Equatable, Sendable {
  /// False trains whatever the data are like.
  public var isAsked: Bool
  /// Errors that are put up with.
  public var allowed: Set<FindingKind>

  public init(isAsked: Bool = true, allowed: Set<FindingKind> = []) {
    self.isAsked = isAsked
    self.allowed = allowed
  }

  /// Throws where training on the data would be wrong.
  ///
  /// Rows that cannot be read are left to the reader, which has better words for them.
  func require(
    _ source: PairsSource, _ model: LanguageModel, _ options: TrainingOptions
  ) throws {
    guard isAsked else { return }
    var limits = DataDoctor.Options()
    limits.maxLength = options.maxLength
    limits.maxPositions = model.config.maxPositions
    limits.readsLogOdds = source.readsLogOdds
    limits.endIDs = model.endIDs
    var chat: ChatEncoder?
    if model.storedTokenizer != nil { chat = try model.chat }
    let doctor = DataDoctor(chat: chat, options: limits)
    let report: DoctorReport
    do throws(DataError) {
      report = try doctor.examine(
        MixtureReader(source.mixture, mapping: source.mapping, takesBrokenText: true))
    } catch {
      throw TrainingError(error) ?? error
    }
    let errors = report.errors.filter {
      $0.name != .unreadableRow && !allowed.contains($0.name)
    }
    if !errors.isEmpty { throw TrainingError.unfit(findings: errors) }
  }
}

/// The `train` stage: π_t and ranked answers → a checkpoint of π_{t+1}.
public struct TrainingRun {
  private let trainer: Trainer
  private let policy: LanguageModel
  private let data: [TrainingGroup]
  /// Prompts that are trained on.
  public var groups: Int { data.count }
  /// What each source of pairs gave; empty for stored preferences.
  public let sources: [MixtureReader.Count]

  /// - Parameter output: folder of checkpoints and logs; training goes on from its newest
  ///   checkpoint.
  public init(
    policy: LanguageModel, data: TrainingData, objective choice: PluginChoice,
    options: TrainingOptions, seed: UInt64, output: String, runtime: Runtime
  ) throws {
    var options = options
    options.seed = seed
    options.maxSteps = max(options.maxSteps, 0)
    try options.validate()
    let checked = try runtime.host.checkedOptions(.objective, choice)
    var identity = ["objective": try runtime.host.component(.objective, choice.name).id]
    for (name, value) in checked { identity["objective.\(name)"] = value }
    self.policy = policy
    let groups: [TrainingGroup]
    switch data {
    case .stored(let preferences, let candidates):
      groups = try StoredPreferences(preferences: preferences, candidates: candidates).groups(
        options, modelDigest: policy.digest, beginID: policy.storedTokenizer?.bos)
      sources = []
    case .pairs(let source, let doctor):
      if source.readsLogOdds,
        try runtime.host.component(.objective, choice.name).needs.contains(.winProb)
      {
        throw DataError(
          path: source.name,
          what: "log-odds of a pair say nothing of win rates, which \(choice.name) learns from",
          cure: "use gpo, or give the file of all answers (train_table.parquet)")
      }
      try doctor.require(source, policy, options)
      (groups, sources) = try PairsFile.read(
        source, encoder: LanguageModelPairs(policy, rendering: options.rendering),
        options: options)
    }
    self.data = groups
    trainer = try Trainer(
      TrainableModel(policy), objective: try runtime.objective(choice),
      objectiveIdentity: identity, groups: groups, options: options,
      scale: MetricScale(beta: checked["beta"].flatMap(Double.init) ?? 1), output: output)
  }

  /// - Parameter capture: what is captured of the policy on the way.
  public func run(
    progress: ProgressHandler = { _ in }, cancelled: () -> Bool = { false },
    capture: (request: CaptureRequest, every: Int)? = nil
  ) throws -> TrainingResult {
    guard let capture else { return try trainer.run(progress: progress, isCancelled: cancelled) }
    let observer = try TrainingCapture(
      capture.request, every: capture.every, policy: policy, groups: data,
      identity: trainer.identityLines, steps: trainer.plan.total)
    let result = try trainer.run(
      progress: progress, isCancelled: cancelled, afterStep: observer.afterStep)
    try observer.finish()
    return result
  }
}

extension TrainingResult {
  /// For the report.
  public var figures: [String: Double] {
    var figures = ["steps": Double(steps), "tokens_per_second": tokensPerSecond]
    figures["first_loss"] = history.first?.values["loss"]
    figures["last_loss"] = history.last?.values["loss"]
    return figures
  }
}
