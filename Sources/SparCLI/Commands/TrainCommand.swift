import ArgumentParser
import SparPipeline
import SparTraining

struct TrainCommand: RecipeCommand {
  static let uses = ["model", "output_dir", "seed", "backend", "threads", "objective.", "train."]
  static let options = CaptureFlags.options.union([
    "candidates", "preferences", "capture-every",
  ])
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a policy on preferences; checkpoints go to output_dir.",
    discussion: """
      Reads preferences.h5 and the candidates.h5 that it names, or pairs as JSON lines (prompt, \
      chosen, rejected). Started again, it goes on from the newest checkpoint, to the same bits.

      \(settingsHelp)
      """)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(
    help: "What a ranker made of answers (.h5), or pairs as JSON lines (.jsonl).",
    completion: .file())
  var preferences = "preferences.h5"

  @Option(
    help: "The answers that were ranked. (default: the file that the preferences name)",
    completion: .file())
  var candidates: String?

  @OptionGroup var capture: CaptureFlags

  @Option(
    help: "Optimizer steps between captures; 0 = only before the first and after the last. (0)")
  var captureEvery: Int?

  @OptionGroup var settings: RecipeOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard let captureEvery else { return }
    guard capture.capture != nil else {
      throw ValidationError("--capture-every says when to capture, but there is no --capture FILE")
    }
    if captureEvery < 0 {
      throw ValidationError("--capture-every is \(captureEvery); it must be at least 0")
    }
  }

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
    let request = try capture.request()
    let runtime = try common.runtime(recipe)
    _ = try runtime.host.checkedOptions(.objective, recipe.objective)
    try runtime.host.checkPairing(recipe)
    let line = ProgressLine()
    defer { line.finish() }
    let training = try TrainingRun(
      policy: runtime.model(recipe.run.model), data: source, objective: recipe.objective,
      options: recipe.train, seed: recipe.trainingSeed, output: recipe.run.outputDir,
      runtime: runtime)
    let result = try training.run(
      progress: line.stage("train"), cancelled: { Interrupts.interruption.isRequested },
      capture: request.map { ($0, captureEvery ?? 0) })
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
    for text in MetricsTable.lines(result.history) { try Terminal.line(text) }
    let (first, last) = (result.figures["first_loss"], result.figures["last_loss"])
    let loss = first.flatMap { first in
      last.map { "loss \(Figures.short(first)) → \(Figures.short($0)), " }
    }
    try Terminal.line(
      "\(result.checkpoint): \(result.steps) steps on \(training.groups) prompts, \(loss ?? "")"
        + "\(Figures.whole(result.tokensPerSecond)) tokens/s")
  }

  private func source() throws -> TrainingData {
    guard [".jsonl", ".json"].contains(where: preferences.hasSuffix) else {
      return .stored(
        preferences: preferences,
        candidates: try candidates ?? TrainingData.candidates(of: preferences))
    }
    guard candidates == nil else {
      throw UsageError("--candidates is given, but \(preferences) holds pairs, not a ranking")
    }
    return .pairs(preferences)
  }
}
