import Foundation
import SparGeneration
import SparHost
import SparModel
import SparPreference
import SparStore

/// The loop: for t = 1…T, fresh prompts → π_t answers → ranker → train (reference π_t) → π_{t+1}
/// → evaluate against the base model on held-out prompts.
///
/// Every stage leaves one final file; a run that is started again skips what is finished, goes on
/// with what is half done, and refuses to mix results of different settings.
public final class SelfPlayRun {
  public let resolved: ResolvedRecipe
  public let directory: RunDirectory
  let runtime: Runtime
  let interruption: Interruption
  let training: [Prompt]
  let heldout: [Prompt]
  let slices: PromptSlices
  let ranker: AnswerRanker
  let rankerKey: StageKey
  let objectiveKey: StageKey
  private let observe: (RunProgress.Snapshot) -> Void
  private var progress: RunProgress

  public var recipe: Recipe { resolved.recipe }

  /// Checks everything that can be checked before work starts.
  ///
  /// - Parameters:
  ///   - makeRuntime: opens the backend, once settings and prompts are found good.
  ///   - observe: called often, from the thread of the run.
  public init(
    _ resolved: ResolvedRecipe, host: PluginHost, interruption: Interruption,
    makeRuntime: () throws -> Runtime, observe: @escaping (RunProgress.Snapshot) -> Void
  ) throws {
    self.resolved = resolved
    self.interruption = interruption
    self.observe = observe
    let recipe = resolved.recipe
    try recipe.requireForRun()
    try host.check(recipe)
    training = try Prompt.read(recipe.run.prompts)
    let all = try Prompt.read(recipe.evaluate.prompts)
    heldout = recipe.evaluate.count > 0 ? Array(all.prefix(recipe.evaluate.count)) : all
    guard !heldout.isEmpty else {
      throw RunError.tooFewPrompts(path: recipe.evaluate.prompts, found: 0, needed: 1)
    }
    try PromptSlices.requireDisjoint(
      heldout: heldout, in: recipe.evaluate.prompts, training: training, in: recipe.run.prompts)
    slices = try PromptSlices(
      training, iterations: recipe.run.iterations, perIteration: recipe.run.promptsPerIteration,
      seed: recipe.run.seed, source: recipe.run.prompts)
    rankerKey = try StageKey.component(.ranker, recipe.ranker, host: host)
    objectiveKey = try StageKey.component(.objective, recipe.objective, host: host)
    directory = RunDirectory(recipe.run.outputDir)
    try directory.create()
    runtime = try makeRuntime()
    ranker = try runtime.ranker(recipe.ranker)
    progress = RunProgress(Self.steps(recipe))
  }

  private static func steps(_ recipe: Recipe) -> [RunProgress.Step] {
    let rounds = recipe.run.iterations
    let base = RunProgress.Step(label: "base answers", stage: "heldout", weight: 1)
    return [base]
      + (1...rounds).flatMap { t in
        [("generate", 3.0), ("rank", 1.5), ("train", 4), ("heldout", 1), ("evaluate", 0.5)].map {
          RunProgress.Step(label: "iteration \(t)/\(rounds) · \($0)", stage: $0, weight: $1)
        }
      }
  }

  /// Runs to the end and returns the report, which is in report.md, too.
  public func run() throws -> RunReport {
    let record = try RunRecord(self)
    // A record that is there is right as long as the stages go on from it; a refused change of
    // settings must not replace it.
    if !FileManager.default.fileExists(atPath: directory.record) {
      try record.write(to: directory.record)
    }
    var policy = try runtime.model(recipe.run.model)
    let baseDigest = try answerHeldout(policy, folder: directory.base)
    for t in 1...recipe.run.iterations {
      let folder = directory.iteration(t)
      try folder.create()
      let checkpoint = try improve(policy, iteration: t, folder: folder)
      // Read back from the file: π_{t+1} is then the same, digest and all, for a resumed run.
      policy = try runtime.model(checkpoint)
      try evaluate(policy, folder: folder, baseDigest: baseDigest)
    }
    try record.write(to: directory.record)
    let report = try RunReport(self)
    try AtomicFile.writeBytes(to: directory.report, doing: "writing the report") {
      try $0.write(report.markdown)
    }
    return report
  }

  /// Generate, rank, train: π_t → checkpoint of π_{t+1}.
  private func improve(
    _ policy: LanguageModel, iteration t: Int, folder: RunDirectory.Folder
  ) throws -> String {
    let candidates = try generate(policy, iteration: t, folder: folder)
    let preferences = try rank(folder: folder, candidates: candidates)
    return try train(
      policy, iteration: t, folder: folder, candidates: candidates, preferences: preferences)
  }

  func report(_ stage: SparHost.Progress) { observe(progress.snapshot(stage)) }

  func isCancelled() -> Bool { interruption.isRequested }

  /// Does `work` unless the ledger has it as done; `work` returns figures for the report.
  ///
  /// - Parameters:
  ///   - output: the final file, where its name is known beforehand.
  ///   - isDigested: false for outputs that no later key names, since they may be large.
  func stage(
    _ name: String, in folder: RunDirectory.Folder, key: StageKey, output: String?,
    isDigested: Bool = true, work: () throws -> (output: String, figures: [String: Double])
  ) throws -> StageLedger.Record {
    var ledger = try StageLedger(path: folder.ledger)
    if case .finished(let record) = try ledger.state(of: name, key: key, output: output) {
      progress.advance(bySkipping: true)
      return record
    }
    try ledger.begin(name, key: key)
    let start = ContinuousClock.now
    report(SparHost.Progress(stage: name, done: 0, total: 1, unit: ""))
    var (file, figures) = try work()
    figures["seconds"] = (ContinuousClock.now - start) / .seconds(1)
    try ledger.finish(
      name, output: file, digest: isDigested ? try fileDigest(file) : nil, figures: figures)
    progress.advance(bySkipping: false)
    guard let record = ledger.record(of: name) else { preconditionFailure("just written") }
    return record
  }
}

extension Recipe {
  /// Throws when a text that the command cannot do without is empty.
  public func require(_ key: String, _ value: String, _ purpose: String) throws(RecipeError) {
    if value.isEmpty { throw .missing(key: key, purpose: purpose) }
  }

  /// Throws for what a run cannot do without.
  func requireForRun() throws(RecipeError) {
    try require("model", run.model, "the policy to start from")
    try require("prompts", run.prompts, "a JSON-lines file of training prompts")
    try require("evaluate.prompts", evaluate.prompts, "a JSON-lines file of held-out prompts")
    if generate.shardLength > 0 {
      throw .foreign(
        key: "generate.frac_len", owner: "`spar generate`", command: "run", place: .preset)
    }
  }
}
