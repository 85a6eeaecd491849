import SparRankerTraining
import SparReport

/// A comparison of rankers from its recipe to its figure.
struct RankerComparisonSession {
  var recipe: RankerComparisonRecipe
  var common: CommonOptions

  init(_ recipe: RankerComparisonRecipe, common: CommonOptions) {
    (self.recipe, self.common) = (recipe, common)
  }

  private struct Result: Encodable {
    var cells: [RankerComparison.Cell]
    var files: [String]
  }

  func run() throws {
    let runtime = try common.runtime()
    let model = try runtime.model(recipe.model)
    let line = ProgressLine()
    defer { line.finish() }
    let cells = try recipe.comparison.run(
      model, folder: recipe.outputDir, progress: line.stage("compare-rankers"),
      isCancelled: { Interrupts.interruption.isRequested })
    line.finish()
    let report = report(cells)
    let files = try report.write(to: recipe.outputDir, facts: facts(cells))
    guard !common.json else { return try Terminal.json(Result(cells: cells, files: files)) }
    for text in Terminal.columns(report.rows) { try Terminal.line(text) }
    try Terminal.line("")
    try Terminal.line(files.joined(separator: ", "))
  }

  private func report(_ cells: [RankerComparison.Cell]) -> RankerComparisonReport {
    let comparison = recipe.comparison
    return RankerComparisonReport(
      title: "Circles of preferences: what rankers can learn",
      groups: comparison.lengths.map { length in
        let bound = CyclicPreferences(length: length, circles: 1, seed: 0).bradleyTerryBound
        return ("circles of \(length)", bound)
      },
      series: comparison.arms.map { arm in
        .init(
          name: arm.name,
          accuracies: comparison.lengths.map { length in
            cells.filter { $0.arm == arm.name && $0.length == length }.map(\.accuracy)
          })
      })
  }

  private func facts(_ cells: [RankerComparison.Cell]) -> [String] {
    let comparison = recipe.comparison
    let seeds = comparison.seeds.map { "\($0)" }.joined(separator: ", ")
    return [
      "model: \(recipe.model), its states fixed, heads trained",
      "each training: \(comparison.circles) circles; seeds \(seeds)",
    ]
      + comparison.arms.map { arm in
        let options = arm.options
        let steps = cells.filter { $0.arm == arm.name }.map(\.steps)
        return "\(arm.name): \(options.head.kind.rawValue), dimension \(options.head.dimension), "
          + "embeddings \(options.head.normalises ? "of length one" : "as they are"), τ "
          + "\(Figures.short(options.loss.tau)), learning rate "
          + "\(Figures.short(options.training.learningRate)), batch "
          + "\(options.training.perDeviceBatch), "
          + "\(steps.min() ?? 0) to \(steps.max() ?? 0) steps"
      }
  }
}
