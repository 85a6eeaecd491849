import ArgumentParser
import SparData
import SparDiagnostics
import SparEvaluation
import SparPipeline
import SparPreference
import SparStore

struct EvaluateRankerCommand: RecipeCommand {
  static let uses = ["preset", "backend", "threads", "ranker.", "rank.probability_rule"]
  static let options = DataOptions.names.union(["dataset", "journal", "weights"])
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "evaluate-ranker",
    abstract: "How often a ranker agrees with labelled comparisons.",
    discussion: """
      Reads comparisons (prompt, chosen, rejected; subset where there is one, as in RewardBench) and \
      asks the ranker about each in both orders. Prints accuracy with its interval, the same for \
      answers of like length and for those where the shorter or the longer one was chosen, what the \
      order does, RewardBench's sections where its subsets are there, and what "the longer answer wins" \
      would have scored on the same rows. A tie is wrong; a comparison that failed counts one half. \
      Then whether its probabilities can be believed: Brier score, log loss, calibration error (ECE), \
      the temperature that would fit them best, and how often it is right where it is how sure; labels \
      are verdicts, or probabilities where rows have chosen_probs. Interrupted, the same command goes \
      on from its journal.

      \(settingsHelp)
      """)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(help: "Comparisons: FILE[:FRACTION],…", completion: .file())
  var dataset: String

  @Option(
    help: "Where finished comparisons are kept until the end.", completion: .file())
  var journal = "evaluate-ranker.journal"

  @OptionGroup var data: DataOptions
  @OptionGroup var settings: RecipeOptions
  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  func run() throws {
    let recipe = try settings.resolve(recipe: config, for: Self.self, common: common).recipe
    let rows = try comparisons()
    let runtime = try common.runtime(storage, recipe)
    let ranker = try runtime.ranker(recipe.ranker)
    try storage.requireEffect(on: runtime, ranker: recipe.ranker.name)
    let line = ProgressLine()
    defer { line.finish() }
    let ranked = try RankingRun(
      ranker: ranker, rule: recipe.rank.rule, batchSize: 8, stage: "evaluate-ranker"
    ).tables(
      rows.map { .init(name: $0.name, query: $0.query) },
      inputs: try data.mixture(dataset).files().map { try fileDigest($0) }, journal: journal,
      progress: line.stage("evaluate-ranker"),
      cancelled: { Interrupts.interruption.isRequested })
    line.finish()
    let found = try RankerAccuracyReport(
      rows, native: ranked.native, givesRawScores: ranker.givesRawScores, rule: recipe.rank.rule,
      ranker: "\(ranker.identity)")
    if common.json {
      try Terminal.json(found)
    } else {
      try Terminal.line("\(found.ranker): \(found.comparisons) comparisons, \(found.failed) failed")
      try Terminal.show(found)
    }
    try ranked.journal.remove()
  }

  private func comparisons() throws -> [LabelledComparison] {
    let reader = try data.reader(dataset)
    var rows: [LabelledComparison] = []
    while let (row, form) = try reader.nextWithForm() {
      rows.append(try ComparisonRow(row, form: form).labelled)
    }
    guard !rows.isEmpty else {
      throw UsageError("\(dataset) holds no comparison")
    }
    return rows
  }
}
