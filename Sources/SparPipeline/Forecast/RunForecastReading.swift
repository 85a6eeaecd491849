import Foundation
import SparCompute
import SparData
import SparGeneration
import SparHost
import SparModel

extension RunForecast {
  /// What is missing for a forecast, and how to give it.
  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    case noShape(kind: String, model: String, setting: String)
    case noPrompts(String)

    public var description: String {
      switch self {
      case .noShape(let kind, let model, let setting):
        "the \(kind) \(model) is not on this machine, and its sizes are not known; fetch it, name "
          + "another by --set, or give its config.json: --set \(setting)=FILE"
      case .noPrompts(let data):
        "the prompts \(data) are not on this machine; fetch them, or say how many an iteration has: "
          + "--set plan.prompts=20000"
      }
    }
  }

  /// Reads configurations and prompts as far as they are here, and the recipe's `plan` for the rest;
  /// measures the machine last.
  public init(
    _ resolved: ResolvedRecipe, host: PluginHost, rates: () throws -> MachineRates
  ) throws {
    let recipe = resolved.recipe
    try resolved.checkPreset()
    try recipe.require("model", recipe.run.model, "the policy to start from")
    try recipe.require("prompts", recipe.run.prompts, "data with training prompts")
    try recipe.require("evaluate.prompts", recipe.evaluate.prompts, "data with held-out prompts")
    try host.check(recipe)
    var notes: [String] = []
    func missing(_ what: String) { notes.append("not on this machine: \(what)") }
    guard let policy = try PlannedModel(model: recipe.run.model, config: recipe.plan.model) else {
      throw Failure.noShape(kind: "model", model: recipe.run.model, setting: "plan.model")
    }
    if PlannedModel.location(recipe.run.model) == nil {
      missing("the model \(recipe.run.model) (sizes from \(recipe.plan.model))")
    }
    var ranker: PlannedModel?
    var models = RunInputs.models(try host.checkedRankerOptions(recipe.ranker())).map(\.model)
    // A ranker that the run trains has the sizes of its backbone.
    if recipe.trainRanker.isOn { models.append(recipe.trainRanker.model) }
    for model in models {
      ranker = try PlannedModel(model: model, config: recipe.plan.ranker)
      guard ranker != nil else {
        throw Failure.noShape(kind: "ranker's model", model: model, setting: "plan.ranker")
      }
      if PlannedModel.location(model) == nil {
        missing("the ranker's model \(model) (sizes from \(recipe.plan.ranker))")
      }
    }
    let prompts = try PromptSets.here(recipe.run)
    if prompts == nil {
      guard recipe.plan.prompts > 0 else { throw Failure.noPrompts(recipe.run.prompts) }
      missing("the prompts \(recipe.run.prompts) (taken to be \(recipe.plan.prompts) an iteration)")
    }
    let heldout = try Prompt.read(recipe.evaluate.prompts)
    let count =
      recipe.evaluate.count > 0 ? min(recipe.evaluate.count, heldout.count) : heldout.count
    let tokens = Self.promptTokens(recipe, prompts ?? [heldout])
    notes += Self.assumptions(recipe)
    let answerTokens = Double(
      recipe.plan.answerTokens > 0
        ? min(recipe.plan.answerTokens, recipe.generate.maxNewTokens)
        : recipe.generate.maxNewTokens)
    self.init(
      recipe, policy: policy, ranker: ranker,
      work: Work(
        prompts: prompts.map { Self.perIteration(recipe.run, $0) } ?? recipe.plan.prompts,
        heldout: count, promptTokens: tokens, answerTokens: answerTokens,
        ranker: try RankerWork(recipe, answerTokens: answerTokens)),
      rates: try rates(), totalBytes: Double(ProcessInfo.processInfo.physicalMemory), notes: notes)
  }

  private static func perIteration(_ run: RunSettings, _ sets: [[Prompt]]) -> Int {
    if run.promptsPerIteration > 0 { return run.promptsPerIteration }
    let all = sets.reduce(0) { $0 + $1.count }
    return (all + run.iterations - 1) / run.iterations
  }

  private static func promptTokens(_ recipe: Recipe, _ sets: [[Prompt]]) -> Double {
    if recipe.plan.promptTokens > 0 { return Double(recipe.plan.promptTokens) }
    let texts = sets.flatMap { $0 }.prefix(1000)
    let bytes = texts.reduce(0) { $0 + $1.messages.reduce(0) { $0 + $1.content.utf8.count } }
    // A template adds a dozen tokens.
    return Double(bytes) / 4 / Double(max(texts.count, 1)) + 12
  }

  private static func assumptions(_ recipe: Recipe) -> [String] {
    let answer =
      recipe.plan.answerTokens > 0
      ? "answers have \(recipe.plan.answerTokens) tokens (plan.answer_tokens)"
      : "every answer is taken to reach max_new_tokens"
    let others = recipe.evaluate.checks.isEmpty ? [] : ["evaluate.checks are not reckoned"]
    return [answer] + others
  }
}
