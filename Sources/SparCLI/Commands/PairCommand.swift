import ArgumentParser
import SparPipeline
import SparStore

struct PairCommand: RecipeCommand {
  static let uses = [
    "preset", "rank.probability_rule", "rank.min_margin", "rank.pair_rule", "rank.pair_seed",
    "rank.drop_truncated",
  ]
  static let options: Set = ["preferences", "candidates", "output", "limit"]
  static let switches: Set<String> = []

  static let configuration = CommandConfiguration(
    commandName: "pair",
    abstract: "Show the pairs of a ranking, or derive others from its stored scores.",
    discussion: """
      With --output, probabilities and pairs are made anew by the rule that is set, without \
      ranking again.

      \(settingsHelp)
      """)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(help: "The ranking.", completion: .file())
  var preferences = "preferences.h5"

  @Option(
    help: "The answers that were ranked. (default: the file that the preferences name)",
    completion: .file())
  var candidates: String?

  @Option(name: .shortAndLong, help: "A new preferences.h5 to write.", completion: .file())
  var output: String?

  @Option(help: "Prompts to show; 0 = all.")
  var limit = 0

  @OptionGroup var settings: RecipeOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if limit < 0 { throw ValidationError("--limit is \(limit); it must be at least 0") }
  }

  private struct Row: Encodable {
    var prompt: String
    var status: String
    var chosen: Int?
    var rejected: Int?
    var chosenBeatsRejected: Double?
    var chosenText: String?
    var rejectedText: String?
  }

  func run() throws {
    let recipe = try settings.resolve(recipe: config, for: Self.self, common: common).recipe
    guard output != nil || !settings.isGiven && config == nil else {
      throw UsageError(
        "a rule is set, but there is no --output", hint: "--output names the new preferences.h5")
    }
    let candidates = try candidates ?? TrainingData.candidates(of: preferences)
    guard let output else { return try show(candidates) }
    var files = OutputFiles()
    files.reads("--candidates", candidates)
    files.reads("--config", config)
    try files.writes("--output", output)
    let counts = try PairDerivation(rule: recipe.rank.rule, selection: recipe.rank.selection).run(
      preferences: preferences, candidates: candidates, output: output)
    if common.json {
      return try Terminal.json(
        Dictionary(counts.map { ("\($0.key)", $0.value) }, uniquingKeysWith: +))
    }
    let shown = PreferenceStatus.allCases.compactMap { status in
      counts[status].map { "\($0) \(status)" }
    }
    try Terminal.line(
      "\(output): rule \(recipe.rank.rule.rawValue), " + shown.joined(separator: ", "))
  }

  private func show(_ candidates: String) throws {
    let (table, _, groups) = try PairDerivation.read(
      preferences: preferences, candidates: candidates)
    let count = limit > 0 ? min(limit, table.count) : table.count
    for row in 0..<count {
      let (w, l) = (table.chosen[row], table.rejected[row])
      let isPair = table.status[row] == .kept
      let shown = Row(
        prompt: table.promptID[row], status: "\(table.status[row])", chosen: isPair ? w : nil,
        rejected: isPair ? l : nil,
        chosenBeatsRejected: isPair
          ? table.winProbability[(row * table.K + w) * table.K + l] : nil,
        chosenText: isPair ? groups[row].answers[w].text : nil,
        rejectedText: isPair ? groups[row].answers[l].text : nil)
      if common.json {
        try Terminal.json(shown)
      } else {
        try print(shown)
      }
    }
  }

  private func print(_ row: Row) throws {
    guard let p = row.chosenBeatsRejected, let w = row.chosen, let l = row.rejected else {
      return try Terminal.line("\(row.prompt): no pair (\(row.status))")
    }
    try Terminal.line(
      "\(row.prompt): answer \(w) over answer \(l), P = \(Figures.short(p))")
    for (mark, text) in [("  + ", row.chosenText ?? ""), ("  - ", row.rejectedText ?? "")] {
      try Terminal.line(mark + text.replacing("\n", with: "\n    "))
    }
  }
}
