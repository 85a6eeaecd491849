import Foundation
import SparGeneration
import SparHost
import SparModel
import SparPreference
import SparStore

/// The loop: perhaps a ranker of the run's own; then for t = 1…T, fresh prompts → π_t answers → ranker → train (reference π_t) → π_{t+1}
/// → evaluate against the base model on held-out prompts.
///
/// Every stage leaves one final file; a run that is started again skips what is finished, goes on
/// with what is half done, and refuses to mix results of different settings.  With a store, stages
/// that another run has computed are linked instead.
public final class SelfPlayRun {
  public let inputs: RunInputs
  public let directory: RunDirectory
  let runtime: Runtime
  let interruption: Interruption
  /// The ranker that the run has trained for itself, with its identity.
  private var trained: (path: String, digest: String?)?
  private var loadedRanker: AnswerRanker?
  /// Addresses of the stages, where there is a store.
  let shared: (sharing: StageSharing, plan: RunPlan)?
  private let target: RunTarget?
  private let observe: (RunProgress.Snapshot) -> Void
  private var progress: RunProgress
  /// No other process works in this folder while it is held.
  private let lock: FileLock

  public var resolved: ResolvedRecipe { inputs.resolved }
  public var recipe: Recipe { inputs.recipe }
  var heldout: [Prompt] { inputs.heldout }
  var slices: PromptSlices { inputs.slices }
  var keys: StageKeys { inputs.keys }

  /// Checks everything that can be checked before work starts.
  ///
  /// - Parameters:
  ///   - sharing: the store to take stages from and to leave them in.
  ///   - target: the stage to stop after; nil = the whole run.
  ///   - patience: seconds to wait for another process that is just leaving the folder.
  ///   - makeRuntime: opens the backend, once settings and prompts are found good.
  ///   - observe: called often, from the thread of the run.
  public init(
    _ resolved: ResolvedRecipe, host: PluginHost, interruption: Interruption,
    sharing: StageSharing? = nil, until target: RunTarget? = nil, patience: Double = 0,
    makeRuntime: () throws -> Runtime, observe: @escaping (RunProgress.Snapshot) -> Void
  ) throws {
    self.interruption = interruption
    self.observe = observe
    self.target = target
    inputs = try RunInputs(resolved, host: host)
    let recipe = resolved.recipe
    if let target, target.iteration > recipe.run.iterations {
      throw RunError.until(text: "\(target)", known: ["base"] + RunTarget.stages)
    }
    directory = RunDirectory(recipe.run.outputDir)
    try directory.create()
    lock = try FileLock.ofFolder(directory.root, patience: patience)
    runtime = try makeRuntime()
    // Found now, not after an hour; what the run trains itself is made first.
    try inputs.checkRankerModels(host: host)
    if !recipe.trainRanker.isOn { loadedRanker = try runtime.ranker(recipe.ranker) }
    var digests: [String: String] = [:]
    let backend = try host.component(.backend, runtime.backend.name)
    shared = try sharing.map { [inputs] in
      ($0, try RunPlan(inputs, host: host, backend: backend, digests: &digests))
    }
    progress = RunProgress(
      Self.steps(recipe, until: target, shares: Self.shares(resolved, host: host)))
  }

  /// What each stage takes by the reckoning of `--plan`, with proportions of everyday machines; empty
  /// where sizes are not known.
  private static func shares(_ resolved: ResolvedRecipe, host: PluginHost) -> [String: Double] {
    do {
      let forecast = try RunForecast(resolved, host: host) {
        MachineRates(products: 1e11, memory: 1.5e10, threads: 1)
      }
      return Dictionary(
        forecast.stages.map { ($0.stage, $0.seconds) }, uniquingKeysWith: { first, _ in first })
    } catch {
      // What is wrong with a model or with data, the stage that needs it tells.
      return [:]
    }
  }

  private static func steps(
    _ recipe: Recipe, until target: RunTarget?, shares: [String: Double]
  ) -> [RunProgress.Step] {
    let rounds = recipe.run.iterations
    // Every stage loads and writes something.
    let least = 0.002 * shares.values.reduce(0, +)
    func step(_ label: String, _ stage: String, guess: Double) -> RunProgress.Step {
      let other = shares.isEmpty ? guess : (shares["evaluate"] ?? 0)
      return RunProgress.Step(
        label: label, stage: stage, weight: max(shares[stage] ?? other, least))
    }
    let base = step("base answers", "heldout", guess: 1)
    if target == .base { return [base] }
    var steps: [RunProgress.Step] = []
    if target?.needsRanker ?? true {
      for stage in rankerStages(recipe.trainRanker) {
        steps.append(step(stage, stage, guess: 2))
        if target == RunTarget(iteration: 0, stage: stage) { return steps }
      }
    }
    if target.map({ $0.stage == "evaluate" || $0.isCheck }) ?? true { steps.append(base) }
    for t in 1...rounds {
      for (stage, weight) in [
        ("generate", 3.0), ("rank", 1.5), ("train", 4), ("heldout", 1), ("evaluate", 0.5),
      ] + recipe.evaluate.checkStages.map({ ($0, 0.5) }) {
        // What a run to a later iteration leaves out.
        let isLast = ["heldout", "evaluate"].contains(stage) || stage.hasPrefix(RunTarget.check)
        if let target, target.iteration > t, isLast { continue }
        steps.append(step("iteration \(t)/\(rounds) · \(stage)", stage, guess: weight))
        if target == RunTarget(iteration: t, stage: stage) { return steps }
      }
    }
    return steps
  }

  /// Runs to the end, or to the target; returns the report, which is in report.md, too, if the
  /// run came to its end.
  @discardableResult
  public func run() throws -> RunReport? {
    defer { withExtendedLifetime(lock) {} }
    let record = try RunRecord(self)
    // A record that is there is right as long as the stages go on from it; a refused change of
    // settings must not replace it.
    if !FileManager.default.fileExists(atPath: directory.record) {
      try record.write(to: directory.record)
    }
    guard try runStages() else { return nil }
    try record.write(to: directory.record)
    let report = try RunReport(self)
    try AtomicFile.writeBytes(to: directory.report, doing: "writing the report") {
      try $0.write(report.markdown)
    }
    return report
  }

  /// False when it stopped at the target.
  private func runStages() throws -> Bool {
    if recipe.trainRanker.isOn, target?.needsRanker ?? true {
      guard let ranker = try trainRanker() else { return false }
      trained = ranker
    }
    var policy = try runtime.model(recipe.run.model)
    var base: StageOutcome?
    if target.map({ $0 == .base || $0.stage == "evaluate" || $0.isCheck }) ?? true {
      base = try answerHeldout(policy, iteration: 0, folder: directory.base)
    }
    if target == .base { return false }
    for t in 1...recipe.run.iterations {
      let folder = directory.iteration(t)
      try folder.create()
      let candidates = try generate(policy, iteration: t, folder: folder)
      if isTarget(t, "generate") { return false }
      let preferences = try rank(iteration: t, folder: folder, candidates: candidates)
      if isTarget(t, "rank") { return false }
      let checkpoint = try train(
        policy, iteration: t, folder: folder, candidates: candidates, preferences: preferences)
      if isTarget(t, "train") { return false }
      // Read back from the file: π_{t+1} is then the same, digest and all, for a resumed run.
      policy = try runtime.model(checkpoint)
      // A run up to a later stage has no use for this iteration's evaluation.
      if let target, target.iteration > t { continue }
      let answers = try answerHeldout(policy, iteration: t, folder: folder)
      if isTarget(t, "heldout") { return false }
      guard let base else { continue }
      try evaluate(iteration: t, folder: folder, policy: answers, base: base)
      if isTarget(t, "evaluate") { return false }
      for other in try recipe.evaluate.otherRankers() {
        try check(other, iteration: t, folder: folder, policy: answers, base: base)
        if isTarget(t, RunTarget.check + other.name) { return false }
      }
    }
    return true
  }

  func isTarget(_ t: Int, _ stage: String) -> Bool {
    target == RunTarget(iteration: t, stage: stage)
  }

  /// The run's ranker, which may be large, as soon as a stage needs it.
  func ranker() throws -> AnswerRanker {
    if let loadedRanker { return loadedRanker }
    let found = try runtime.ranker(recipe.ranker(trained: trained?.path ?? Recipe.trainedPath))
    loadedRanker = found
    return found
  }

  /// Identity of the ranker that the run has trained; nil where it trains none.
  var trainedDigest: String? { trained?.digest }

  func report(_ stage: SparHost.Progress) { observe(progress.snapshot(stage)) }

  func isCancelled() -> Bool { interruption.isRequested }

  func advance(bySkipping isSkipped: Bool) { progress.advance(bySkipping: isSkipped) }
}

extension Recipe {
  /// Throws when a text that the command cannot do without is empty.
  public func require(_ key: String, _ value: String, _ purpose: String) throws(RecipeError) {
    if value.isEmpty { throw .missing(key: key, purpose: purpose) }
  }

  /// Throws for what a run cannot do without.
  func requireForRun() throws(RecipeError) {
    try require("model", run.model, "the policy to start from")
    try require("prompts", run.prompts, "data with training prompts")
    try require("evaluate.prompts", evaluate.prompts, "data with held-out prompts")
    guard generate.pairs > 1 else {
      throw .value(
        key: "generate.pairs", found: "\(generate.pairs)",
        expected: "2 or more, so that there are answers to compare", place: .preset)
    }
    if generate.shardLength > 0 {
      throw .foreign(
        key: "generate.frac_len", owner: "`spar generate`", command: "run", place: .preset)
    }
  }
}
