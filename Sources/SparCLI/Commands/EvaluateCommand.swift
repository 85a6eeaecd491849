import ArgumentParser
import SparEvaluation
import SparGeneration
import SparPipeline
import SparRanking

struct EvaluateCommand: RecipeCommand {
  static let uses = [
    "preset", "seed", "backend", "threads", "ranker.", "rank.probability_rule",
    "evaluate.resamples",
  ]
  static let options: Set = ["policy", "base", "output", "weights"]
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Win rate of one file of answers against another, by a ranker: evaluation.json.",
    discussion: """
      Both files come from `spar generate` with the same held-out prompts, one by the policy and \
      one by the base model.

      \(settingsHelp)
      """)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(help: "Answers of the policy (candidates.h5).", completion: .file())
  var policy: String

  @Option(help: "Answers of the base model.", completion: .file())
  var base: String

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output = "evaluation.json"

  @OptionGroup var settings: RecipeOptions
  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  func run() throws {
    let recipe = try settings.resolve(recipe: config, for: Self.self, common: common).recipe
    var files = OutputFiles()
    files.reads("--policy", policy)
    files.reads("--base", base)
    files.reads("--config", config)
    try files.writes("--output", output)
    let runtime = try common.runtime(storage, recipe)
    let ranker = try runtime.ranker(recipe.ranker)
    try storage.requireEffect(on: runtime, ranker: recipe.ranker.name)
    let line = ProgressLine()
    defer { line.finish() }
    let report = try WinRate(
      ranker,
      WinRate.Options(
        probabilityRule: recipe.rank.rule,
        bootstrap: Bootstrap(resamples: recipe.evaluate.resamples, seed: recipe.run.seed)),
      texts: PromptTexts().of
    ).run(
      policy: policy, base: base, output: output, progress: line.stage("evaluate"),
      cancelled: { Interrupts.interruption.isRequested })
    line.finish()
    guard !common.json else { return try Terminal.json(report) }
    for text in report.lines { try Terminal.line(text) }
  }
}
