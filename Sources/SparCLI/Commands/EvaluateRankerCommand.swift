import ArgumentParser
import SparData
import SparDiagnostics
import SparEvaluation
import SparPipeline
import SparPreference
import SparStore

struct EvaluateRankerCommand: RecipeCommand {
  static let uses = ["preset", "backend", "threads", "ranker."]
  static let options = DataOptions.names.union(["dataset", "journal", "weights"])
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "evaluate-ranker",
    abstract: "How often a ranker agrees with labelled comparisons.",
    discussion: """
      Reads comparisons (prompt, chosen, rejected; subset where there is one, as in RewardBench) and \
      asks the ranker about each in both orders. Prints accuracy with its interval, what the order \
      does, RewardBench's sections where its subsets are there, and what "the longer answer wins" \
      would have scored on the same rows. A tie is wrong; a comparison that failed counts one half. \
      Interrupted, the same command goes on from its journal.

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

  private struct Result: Encodable {
    var ranker: String
    var comparisons: Int
    var failed: Int
    var accuracy: RankerAccuracy.Share
    var longerWins: RankerAccuracy.Share
    var chosenFirst: Double?
    var chosenSecond: Double?
    var consistency: Double?
    var subsets: [RewardBench.Score]
    var sections: [RewardBench.Score]
    var overall: Double?
  }

  func run() throws {
    let recipe = try settings.resolve(recipe: config, for: Self.self, common: common).recipe
    let rows = try comparisons()
    let runtime = try common.runtime(storage, recipe)
    let ranker = try runtime.ranker(recipe.ranker)
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
    let found = RankerAccuracy(
      rows, native: ranked.native, givesRawScores: ranker.givesRawScores)
    try report(found, ranker: "\(ranker.identity)")
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

  private func report(_ found: RankerAccuracy, ranker: String) throws {
    let (accuracy, longer) = (found.accuracy(), found.longerWins())
    guard !common.json else {
      return try Terminal.json(
        Result(
          ranker: ranker, comparisons: found.results.count, failed: found.failed,
          accuracy: accuracy, longerWins: longer, chosenFirst: found.orders?.first,
          chosenSecond: found.orders?.second, consistency: found.orders?.consistency,
          subsets: found.bench.subsets, sections: found.bench.sectionScores,
          overall: found.bench.overall))
    }
    try Terminal.line("\(ranker): \(found.results.count) comparisons, \(found.failed) failed")
    var table = [
      ["accuracy", percent(accuracy)], ["longer answer wins", percent(longer)],
    ]
    if let orders = found.orders {
      table.append(["chosen first, second", "\(percent(orders.first)), \(percent(orders.second))"])
      table.append(["same verdict in both orders", percent(orders.consistency)])
    }
    for score in found.bench.sectionScores {
      table.append([
        "section \(score.name)" + (score.isComplete ? "" : " (not all subsets)"), percent(score),
      ])
    }
    if let overall = found.bench.overall { table.append(["RewardBench", percent(overall)]) }
    for score in found.bench.subsets { table.append(["  " + score.name, percent(score)]) }
    for line in Terminal.columns(table) { try Terminal.line(line) }
  }

  private func percent(_ share: Double) -> String { Figures.short(100 * share) + " %" }

  private func percent(_ share: RankerAccuracy.Share) -> String {
    "\(percent(share.value)) (\(Figures.short(100 * share.interval.lower))–"
      + "\(Figures.short(100 * share.interval.upper)))"
  }

  private func percent(_ score: RewardBench.Score) -> String {
    percent(score.accuracy)
      + (score.standardError.map { " ± \(Figures.short(100 * $0))" } ?? "")
      + ", \(score.count) rows"
  }
}
