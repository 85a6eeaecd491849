import ArgumentParser
import SparPipeline
import SparTraining

struct TrainCommand: RecipeCommand {
  static let uses = ["model", "output_dir", "seed", "backend", "threads", "objective.", "train."]
  static let options: Set = ["candidates", "preferences", "data"]
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a policy on preferences; checkpoints go to output_dir.",
    discussion: """
      Reads preferences.h5 with its candidates.h5, or pairs as JSON lines (prompt, chosen, \
      rejected). Started again, it goes on from the newest checkpoint, to the same bits.

      \(settingsHelp)
      """)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(help: "The answers that were ranked.", completion: .file())
  var candidates: String?

  @Option(help: "What the ranker made of them.", completion: .file())
  var preferences: String?

  @Option(help: "Pairs as JSON lines, instead of the two.", completion: .file())
  var data: String?

  @OptionGroup var settings: RecipeOptions
  @OptionGroup var common: CommonOptions

  private struct Result: Encodable {
    var checkpoint: String
    var steps: Int
    var tokensPerSecond: Double
    var log: [[String: Double]]
  }

  func run() throws {
    let recipe = try settings.resolve(recipe: config, for: Self.self, common: common).recipe
    try recipe.require("model", recipe.run.model, "the policy to train")
    let source = try source()
    let runtime = try common.runtime(recipe)
    _ = try runtime.host.checkedOptions(.objective, recipe.objective)
    let line = ProgressLine()
    defer { line.finish() }
    let training = try TrainingRun(
      policy: runtime.model(recipe.run.model), data: source, objective: recipe.objective,
      options: recipe.train, seed: recipe.run.seed, output: recipe.run.outputDir, runtime: runtime)
    let result = try training.run(
      progress: line.stage("train"), cancelled: { Interrupts.interruption.isRequested })
    line.finish()
    guard !common.json else {
      return try Terminal.json(
        Result(
          checkpoint: result.checkpoint, steps: result.steps,
          tokensPerSecond: result.tokensPerSecond,
          log: result.history.map { entry in
            entry.values.merging(["step": Double(entry.step)]) { first, _ in first }
          }))
    }
    let (first, last) = (result.figures["first_loss"], result.figures["last_loss"])
    let loss = first.flatMap { first in
      last.map { "loss \(Figures.short(first)) → \(Figures.short($0)), " }
    }
    try Terminal.line(
      "\(result.checkpoint): \(result.steps) steps on \(training.groups) prompts, \(loss ?? "")"
        + "\(Figures.whole(result.tokensPerSecond)) tokens/s")
  }

  private func source() throws -> TrainingData {
    if let data {
      guard candidates == nil, preferences == nil else {
        throw UsageError("--data is given together with --candidates or --preferences")
      }
      return .pairs(data)
    }
    return .stored(
      preferences: preferences ?? "preferences.h5", candidates: candidates ?? "candidates.h5")
  }
}
