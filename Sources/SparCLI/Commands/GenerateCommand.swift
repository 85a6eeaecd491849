import ArgumentParser
import SparData
import SparGeneration
import SparPipeline

struct GenerateCommand: RecipeCommand {
  static let uses = [
    "preset", "model", "prompts", "seed", "render", "backend", "threads", "generate.",
  ]
  static let options = CaptureFlags.options.union([
    "output", "jsonl", "iteration", "column", "weights",
  ])
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Answer every prompt K times: candidates.h5.",
    discussion: """
      Stopped and started again, it goes on where it was. Batch size, shards and threads change \
      no answer.

      \(settingsHelp)
      """)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output = "candidates.h5"

  @Option(help: "Also write the answers as JSON lines, one prompt each.", completion: .file())
  var jsonl: String?

  @Option(help: "Names the random streams: other iterations draw other answers.")
  var iteration = 1

  @OptionGroup var columns: ColumnOptions
  @OptionGroup var capture: CaptureFlags
  @OptionGroup var settings: RecipeOptions
  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  func run() throws {
    let recipe = try settings.resolve(recipe: config, for: Self.self, common: common).recipe
    try recipe.require("model", recipe.run.model, "the policy that answers")
    try recipe.require("prompts", recipe.run.prompts, "data with prompts")
    let options = recipe.generate.named(seed: recipe.run.seed, iteration: iteration)
    let source = PromptSets.name(recipe.run.prompts, iteration: iteration)
    var files = OutputFiles()
    files.reads("--prompts", try DataMixture(source).files())
    files.reads("--model", recipe.run.model)
    files.reads("--config", config)
    try files.writes("--output", output)
    try files.writes("--jsonl", jsonl)
    try files.writes("--capture", capture.capture)
    let prompts = try Prompt.read(source, mapping: try columns.mapping())
    let request = try capture.request()
    let last = prompts.map(\.index).max() ?? 0
    try request?.rows.require(below: last + 1, of: source)
    let runtime = try common.runtime(storage, recipe)
    let model = try runtime.model(recipe.run.model)
    let capturing = try request.map {
      try GenerationCapture(
        $0, model: model, options: options, prompts: prompts, source: source)
    }
    let line = ProgressLine()
    defer { line.finish() }
    let summary = try GenerationStage(model, options, threads: runtime.threads).run(
      prompts: prompts, source: source, output: output,
      progress: line.stage("generate"), cancelled: { Interrupts.interruption.isRequested },
      answered: { try capturing?.add($0, ids: $1, answers: $2) })
    try capturing?.finish()
    line.finish()
    if let jsonl { try CandidateLines.write(output, to: jsonl) }
    guard !common.json else { return try Terminal.json(summary) }
    try Terminal.line(
      "\(output): \(summary.prompts) prompts, \(summary.answers) answers of "
        + "\(Figures.one(summary.meanTokens)) tokens, \(Figures.percent(summary.ended)) ended; "
        + "\(Figures.whole(summary.tokensPerSecond)) tokens/s")
  }
}
