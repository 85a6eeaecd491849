import ArgumentParser
import SparPipeline
import SparRanking

struct RankCommand: RecipeCommand {
  static let uses = ["preset", "backend", "threads", "ranker.", "rank."]
  static let options = CaptureFlags.options.union(["candidates", "output", "weights"])
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "rank", abstract: "Compare the answers of each prompt: preferences.h5.",
    discussion: settingsHelp)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(help: "The answers to rank.", completion: .file())
  var candidates = "candidates.h5"

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output = "preferences.h5"

  @OptionGroup var capture: CaptureFlags
  @OptionGroup var settings: RecipeOptions
  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  func run() throws {
    let recipe = try settings.resolve(recipe: config, for: Self.self, common: common).recipe
    var files = OutputFiles()
    files.reads("--candidates", candidates)
    files.reads("--config", config)
    try files.writes("--output", output)
    try files.writes("--capture", capture.capture)
    let request = try capture.request()
    let runtime = try common.runtime(storage, recipe)
    let ranker = try runtime.ranker(recipe.ranker)
    try storage.requireEffect(on: runtime, ranker: recipe.ranker.name)
    let capturing = try request.map {
      try RankingCapture($0, ranker: ranker, runtime: runtime, candidates: candidates)
    }
    let line = ProgressLine()
    defer { line.finish() }
    let summary = try RankingStage(
      ranker,
      RankingOptions(
        probabilityRule: recipe.rank.rule, selection: recipe.rank.selection,
        input: recipe.rank.input)
    ).run(
      candidates: candidates, output: output, progress: line.stage("rank"),
      cancelled: { Interrupts.interruption.isRequested })
    try capturing?.run(
      preferences: output, progress: line.stage("capture"),
      cancelled: { Interrupts.interruption.isRequested })
    line.finish()
    guard !common.json else { return try Terminal.json(summary) }
    for text in summary.lines { try Terminal.line(text) }
  }
}
