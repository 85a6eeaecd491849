import Foundation
import SparData
import SparGeneration
import SparHost
import SparModel
import SparStore

/// Everything that can be read and checked before a run starts; nothing is computed or written.
public struct RunInputs {
  public let resolved: ResolvedRecipe
  public let heldout: [Prompt]
  public let slices: PromptSlices
  let keys: StageKeys
  /// Prompts that comparisons for a ranker are made of; empty where none are.
  let bootstrapPrompts: [Prompt]

  public var recipe: Recipe { resolved.recipe }

  /// Throws for the first thing that is wrong: a setting, a plugin's option, a file.
  public init(_ resolved: ResolvedRecipe, host: PluginHost) throws {
    self.resolved = resolved
    let recipe = resolved.recipe
    try resolved.checkPreset()
    try recipe.requireForRun()
    try host.check(recipe)
    let sets = try PromptSets.read(recipe.run)
    let training = sets.flatMap { $0 }
    let all = try Prompt.read(recipe.evaluate.prompts)
    for (path, prompts) in [(recipe.run.prompts, training), (recipe.evaluate.prompts, all)] {
      if let prompt = prompts.first(where: { $0.ids != nil }) {
        throw RunError.idPrompt(path: path, id: prompt.id)
      }
    }
    heldout = recipe.evaluate.count > 0 ? Array(all.prefix(recipe.evaluate.count)) : all
    guard !heldout.isEmpty else {
      throw RunError.tooFewPrompts(path: recipe.evaluate.prompts, found: 0, needed: 1)
    }
    try PromptSlices.requireDisjoint(
      heldout: heldout, in: recipe.evaluate.prompts, training: training, in: recipe.run.prompts)
    if PromptSets.hasOneEach(recipe.run.prompts) {
      slices = try PromptSlices(
        oneEach: sets, perIteration: recipe.run.promptsPerIteration, seed: recipe.run.seed,
        source: recipe.run.prompts)
    } else {
      slices = try PromptSlices(
        training, iterations: recipe.run.iterations, perIteration: recipe.run.promptsPerIteration,
        seed: recipe.run.seed, source: recipe.run.prompts)
    }
    let comparisons: String
    (bootstrapPrompts, comparisons) = try Self.comparisons(recipe, heldout: heldout)
    var checks: [String: StageKey] = [:]
    for check in try recipe.evaluate.otherRankers() {
      checks[check.name] = try StageKey.ranker(check, host: host)
    }
    var trained: StageKey?
    if recipe.trainRanker.isOn {
      trained = try StageKey.ranker(recipe.trainedRanker(Recipe.trainedPath), host: host)
    }
    keys = StageKeys(
      recipe: recipe, rows: resolved.rows,
      ranker: try StageKey.ranker(recipe.ranker(), host: host),
      objective: try StageKey.component(.objective, recipe.objective, host: host),
      trained: trained, checks: checks, comparisons: comparisons,
      prompts: try slices.slices.map { try $0.digest() }, heldout: try heldout.digest())
  }

  /// What the comparisons of a ranker come from: prompts to bootstrap them of, if that is the way,
  /// and the digest of the prompts or of the data set.
  private static func comparisons(
    _ recipe: Recipe, heldout: [Prompt]
  ) throws -> ([Prompt], digest: String) {
    let settings = recipe.trainRanker
    guard settings.isOn else { return ([], "") }
    _ = try settings.options(seed: recipe.run.seed)
    guard !settings.bootstrap.isEmpty else { return ([], try contentDigest([settings.dataset])) }
    let count = try settings.bootstrapOptions(seed: recipe.run.seed).count
    let all = try Prompt.read(settings.bootstrap)
    guard all.count >= max(count, 1) else {
      throw RunError.tooFewPrompts(
        path: settings.bootstrap, found: all.count, needed: max(count, 1))
    }
    let prompts = count > 0 ? Array(all.prefix(count)) : all
    try PromptSlices.requireDisjoint(
      heldout: heldout, in: recipe.evaluate.prompts, training: prompts, in: settings.bootstrap)
    return (prompts, try prompts.digest())
  }

  /// Checks what only the start of a stage would find: ranges that depend on one another, models
  /// that are not there, an objective that refuses its options.
  public func checkThoroughly(host: PluginHost) throws {
    _ = try ModelLocation.resolve(recipe.run.model)
    try recipe.generate.validate()
    var training = recipe.train
    training.maxSteps = max(training.maxSteps, 0)
    try training.validate()
    _ = try host.makeObjective(recipe.objective.name, options: recipe.objective.options)
    if recipe.trainRanker.isOn { _ = try ModelLocation.resolve(recipe.trainRanker.model) }
    try checkRankerModels(host: host)
  }

  /// Throws where a ranker, or another for the evaluation, names a model that is not there.
  func checkRankerModels(host: PluginHost) throws {
    for choice in try [recipe.ranker()] + recipe.evaluate.otherRankers() {
      for (_, model) in Self.models(try host.checkedRankerOptions(choice)) {
        _ = try ModelLocation.resolve(model)
      }
    }
  }

  /// Digests of the files and plugins that settings only name.
  public func facts() throws -> [String: String] {
    var facts = [
      "content of prompts": try Self.contentDigest(PromptSets.names(recipe.run)),
      "content of evaluate.prompts": try Self.contentDigest([recipe.evaluate.prompts]),
    ]
    if recipe.trainRanker.isOn {
      facts["content of train_ranker's comparisons"] = keys.comparisons
    }
    let others = keys.checks.sorted { $0.key < $1.key }.map { ("ranker", $0.value) }
    for (kind, key) in [("objective", keys.objective), ("ranker", keys.ranker)] + others {
      // "ranker.name" of one, "gpm.ranker.name" of each in a mix.
      for (name, id) in key.parts where name == "\(kind).name" || name.hasSuffix(".\(kind).name") {
        let place = name.dropLast("name".count)
        guard let library = key["\(place)library"] ?? key["\(place)version"] else { continue }
        facts["library of \(kind) \(id)"] = library
      }
    }
    return facts
  }

  /// Of one file its own digest, of several that of their digests in order.
  private static func contentDigest(_ data: [String]) throws -> String {
    let files = try data.flatMap { try DataMixture($0).files() }
    if files.count == 1 { return try fileDigest(files[0]) }
    var hash = SHA256()
    for file in files { hash.update([UInt8](try fileDigest(file).utf8)) }
    return hash.hexDigest()
  }

  /// The options that name models of ours, with their values: by convention `model` and those with
  /// this ending; but beside a `base-url` the model is the endpoint's, and no file here.
  package static func models(_ options: [String: String]) -> [(option: String, model: String)] {
    options.filter { option, model in
      let owner = option.lastIndex(of: ".").map { option[...$0] } ?? ""
      let name = option.dropFirst(owner.count)
      let isModel = name == "model" || name.hasSuffix("-model") || name.hasSuffix("_model")
      guard model != Recipe.trainedPath else { return false }
      return isModel && !model.isEmpty && options["\(owner)base-url", default: ""].isEmpty
    }.map { (option: $0.key, model: $0.value) }
  }
}
