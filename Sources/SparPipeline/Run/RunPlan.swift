import Foundation
import SparHost
import SparModel
import SparStore

/// The stages of a run with their addresses, in the order in which a run does them.
public struct RunPlan: Equatable, Sendable {
  public struct Stage: Equatable, Sendable {
    public var address: StageAddress
    /// 0 for the base model's answers and for the run's own ranker, then from 1.
    public var iteration: Int
    public var inputs: [StageAddress]
    /// Passes of a token through the policy, about: a token that is trained on counts three, one
    /// that is ranked two, since rankers see it in both orders, or with a prompt and without.
    public var work: Double
    /// As `--until` names it.
    public var target: RunTarget { RunTarget(iteration: iteration, stage: address.stage) }

    func folder(in directory: RunDirectory) -> RunDirectory.Folder {
      if target.isOfRanker { return directory.ranker }
      return iteration == 0 ? directory.base : directory.iteration(iteration)
    }
  }

  public var stages: [Stage] = []
  /// Parameters of the policy.
  public var parameters: Double
  /// Models that the ranker reads for itself.
  public var rankerModels = 0

  /// - Parameters:
  ///   - backend: id and library of what computes; results of different ones differ in bits.
  ///   - digests: remembers digests of models by argument, which take time.
  public init(
    _ inputs: RunInputs, host: PluginHost, backend: PluginComponent,
    digests: inout [String: String]
  ) throws {
    let recipe = inputs.recipe
    func digest(_ model: String) throws -> String {
      if let known = digests[model] { return known }
      let found = try ModelIdentity.digest(model)
      digests[model] = found
      return found
    }
    let files = try ModelFiles.open(recipe.run.model)
    parameters = files.weights.entries.reduce(0.0) { $0 + Double($1.count) }
    var machine = StageKey(["backend": backend.id, "backend.version": backend.library.version])
    if let path = backend.library.path { machine["backend.library"] = try fileDigest(path) }
    func judge(_ choice: PluginChoice) throws -> StageKey {
      var key = machine
      for (name, model) in RunInputs.models(try host.checkedRankerOptions(choice)) {
        key["ranker.\(name).content"] = try digest(model)
      }
      return key
    }
    let ranker = try recipe.ranker()
    let main = try judge(ranker)
    rankerModels = RunInputs.models(try host.checkedRankerOptions(ranker)).count
    var policy = try digest(recipe.run.model)
    let keys = inputs.keys
    let answerTokens = Double(recipe.generate.maxNewTokens)
    let heldoutWork = Double(inputs.heldout.count * recipe.evaluate.pairs) * answerTokens
    var found: [Stage] = []
    func add(
      _ stage: String, _ t: Int, _ key: StageKey, with more: StageKey, inputs: [StageAddress],
      work: Double
    ) -> StageAddress {
      let address = StageAddress(stage: stage, key: key.merging(more))
      found.append(Stage(address: address, iteration: t, inputs: inputs, work: work))
      return address
    }
    var own: StageAddress?
    if recipe.trainRanker.isOn {
      let settings = recipe.trainRanker
      rankerModels += 1
      let model = try digest(settings.model)
      var comparisons = keys.comparisons
      var sources: [StageAddress] = []
      let prompts = Double(inputs.bootstrapPrompts.count)
      let tokens = prompts * Double(settings.bootstrapping.maxNewTokens)
      if !settings.bootstrap.isEmpty {
        let made = add(
          "bootstrap", 0, keys.bootstrap(model: model), with: machine, inputs: [],
          work: 2 * tokens)
        (comparisons, sources) = (made.digest, [made])
      }
      let answers = Double(settings.bootstrapping.kinds.count + 1)
      let ranker = add(
        "train-ranker", 0, keys.rankerTraining(model: model, comparisons: comparisons),
        with: machine, inputs: sources,
        work: answers * tokens * (settings.scope == .head ? 1 : 3 * settings.epochs))
      own = ranker
      if settings.bootstrapping.heldoutShare > 0 {
        _ = add(
          "evaluate-ranker", 0,
          keys.rankerAccuracy(trained: ranker.digest, comparisons: comparisons), with: machine,
          inputs: sources + [ranker],
          work: answers * tokens * settings.bootstrapping.heldoutShare)
      }
    }
    let base = add(
      "heldout", 0, keys.heldout(model: policy), with: machine, inputs: [], work: heldoutWork)
    var made: [StageAddress] = []
    for t in 1...recipe.run.iterations {
      let count = Double(inputs.slices.slices[t - 1].count)
      let answers = count * Double(recipe.generate.pairs)
      let candidates = add(
        "generate", t, keys.generation(model: policy, iteration: t), with: machine, inputs: made,
        work: answers * answerTokens)
      let preferences = add(
        "rank", t, keys.ranking(candidates: candidates.digest, trained: own?.digest),
        with: main, inputs: [candidates] + [own].compactMap { $0 }, work: 2 * answers * answerTokens
      )
      let trained = recipe.train.pairing == .bestWorst ? 2 * count : answers
      let passes =
        recipe.train.maxSteps > 0
        ? Double(recipe.train.maxSteps * recipe.train.batchSize) / count : recipe.train.epochs
      let checkpoint = add(
        "train", t,
        keys.training(
          model: policy, candidates: candidates.digest, preferences: preferences.digest),
        with: machine, inputs: made + [candidates, preferences],
        work: 3 * trained * passes * answerTokens)
      policy = checkpoint.digest
      made = [checkpoint]
      let heldout = add(
        "heldout", t, keys.heldout(model: policy), with: machine, inputs: [checkpoint],
        work: heldoutWork)
      _ = add(
        "evaluate", t,
        keys.evaluation(policy: heldout.digest, base: base.digest, trained: own?.digest),
        with: main, inputs: [heldout, base] + [own].compactMap { $0 }, work: 4 * heldoutWork)
      for other in try recipe.evaluate.otherRankers() {
        _ = add(
          RunTarget.check + other.name, t,
          keys.evaluation(
            policy: heldout.digest, base: base.digest, trained: nil, check: other.name),
          with: try judge(other), inputs: [heldout, base],
          work: RunInputs.models(try host.checkedRankerOptions(other)).isEmpty
            ? 0 : 4 * heldoutWork)
      }
    }
    stages = found
  }

  public func stage(_ name: String, iteration t: Int) -> Stage? {
    stages.first { $0.iteration == t && $0.address.stage == name }
  }

  /// Whether a run's folder holds every stage of this plan, finished, with its files.
  public func isComplete(in directory: RunDirectory, store: StageStore) throws -> Bool {
    guard FileManager.default.fileExists(atPath: directory.report) else { return false }
    for stage in stages {
      let folder = stage.folder(in: directory)
      guard let record = try StageLedger(path: folder.ledger).record(of: stage.address.stage),
        record.finished, record.address == stage.address.digest, let output = record.output,
        FileTree.size(folder.path + "/" + output) != nil,
        let entry = try store.entry(stage.address), record.isOf(entry)
      else { return false }
    }
    return true
  }
}

/// How far a run goes: a stage with what it needs, and nothing else.
public struct RunTarget: Equatable, Sendable, CustomStringConvertible {
  /// 0 for the base model's answers.
  public var iteration: Int
  public var stage: String

  public init(iteration: Int, stage: String) {
    self.iteration = iteration
    self.stage = stage
  }

  /// Reads `base`, a stage of the run's own ranker, `rank` (of iteration 1) or `2/rank`.
  public init(_ text: String) throws(RunError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if text == "base" {
      self = .base
      return
    }
    if Self.ofRanker.contains(text) {
      self.init(iteration: 0, stage: text)
      return
    }
    let t = parts.count == 2 ? Int(parts[0]) ?? 0 : 1
    guard parts.count <= 2, t >= 1, let stage = parts.last,
      Self.stages.contains(stage)
        || (stage.hasPrefix(Self.check) && stage.count > Self.check.count)
    else {
      throw .until(text: text, known: ["base"] + Self.ofRanker + Self.stages)
    }
    self.init(iteration: t, stage: stage)
  }

  static let stages = ["generate", "rank", "train", "heldout", "evaluate"]

  static let base = RunTarget(iteration: 0, stage: "heldout")
  static let ofRanker = ["bootstrap", "train-ranker", "evaluate-ranker"]
  /// How the stages begin in which another ranker judges: "check-length".
  static let check = "check-"

  /// A stage of the ranker that the run trains.
  var isOfRanker: Bool { iteration == 0 && Self.ofRanker.contains(stage) }

  var isCheck: Bool { stage.hasPrefix(Self.check) }

  /// Whether the run's ranker must be there to come so far.
  var needsRanker: Bool {
    self != .base && self != RunTarget(iteration: 1, stage: "generate")
  }

  public var description: String {
    iteration > 0 ? "\(iteration)/\(stage)" : self == .base ? "base" : stage
  }
}
