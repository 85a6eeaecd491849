import ArgumentParser
import SparData
import SparPipeline
import SparPreference
import SparStore

struct UpstreamImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Answers and rankings of the published code become candidates.h5, preferences.h5.",
    discussion: """
      With --generated, answers are tokenised by the policy's own tokenizer and get their end \
      token; without it, the ranking is of --candidates. A ranking's tables are read if there are \
      any, else its scores. Other rules and pairs can be derived from it by `spar pair`.

        spar upstream import --model models/Mistral-7B-Instruct-v0.2 --prompts iter1.parquet \\
          --generated generated/OUT --ranking ranking/OUT
      """)

  @Option(help: "The folder of responses_{p}.json.", completion: .directory)
  var generated: String?

  @Option(help: "The prompt set that was answered.", completion: .file())
  var prompts: String?

  @Option(help: "The policy that answered; its weights are not read.", completion: .directory)
  var model: String?

  @Option(help: "Answers per prompt (K). (default: as many as there are)")
  var pairs: Int?

  @Option(help: "Tokens at which answers were cut. (default: 2048)")
  var maxlen: Int?

  @Option(help: "How prompts become ids: exact or upstream. (default: exact)")
  var render: String?

  @Option(help: "The iteration that the answers are of. (default: 1)")
  var iteration: Int?

  @Option(
    help: "The folder of {gpu}_{shard}.npy and {gpu}_{shard}_table.npy.", completion: .directory)
  var ranking: String?

  @Option(
    help: "upstream-table, upstream-score or mean-of-orders. (default: the first, of tables)")
  var probabilityRule: String?

  @Option(help: "The answers: written with --generated, else read.", completion: .file())
  var candidates = "candidates.h5"

  @Option(help: "The preferences.h5 to write.", completion: .file())
  var preferences: String?

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  func validate() throws {
    guard generated != nil || ranking != nil else {
      throw ValidationError("neither --generated nor --ranking is given: there is nothing to read")
    }
    for (name, isGiven) in [
      ("--prompts", prompts != nil), ("--model", model != nil), ("--pairs", pairs != nil),
      ("--maxlen", maxlen != nil), ("--render", render != nil), ("--iteration", iteration != nil),
    ] where isGiven && generated == nil {
      throw ValidationError("\(name) is about answers, and there is no --generated")
    }
    if ranking == nil, probabilityRule != nil || preferences != nil {
      throw ValidationError(
        "--probability-rule and --preferences are about a ranking, and there is no --ranking")
    }
    for (name, value) in [("--pairs", pairs), ("--maxlen", maxlen), ("--iteration", iteration)] {
      if let value, value < 1 {
        throw ValidationError("\(name) is \(value); it must be at least 1")
      }
    }
  }

  func run() throws {
    let rendering: PromptRendering = try choice("--render", render) ?? .exact
    let rule: ProbabilityRule? = try choice("--probability-rule", probabilityRule)
    var summary: UpstreamImport.Summary?
    let output = preferences ?? "preferences.h5"
    var files = OutputFiles()
    if generated != nil {
      files.reads("--prompts", try prompts.map { try DataMixture($0).files() } ?? [])
      try files.writes("--candidates", candidates)
    } else {
      files.reads("--candidates", candidates)
    }
    if ranking != nil { try files.writes("--preferences", output) }
    if let generated {
      summary = try imported(rendering).candidates(generated: generated, output: candidates)
    }
    var statuses: [String: Int] = [:]
    if let ranking {
      statuses = try UpstreamImport.preferences(
        ranking: ranking, candidates: candidates, rule: rule, selection: PairSelection(),
        output: output)
    }
    guard !json else {
      struct Result: Encodable {
        var candidates: UpstreamImport.Summary?
        var statuses: [String: Int]?
      }
      return try Terminal.json(
        Result(candidates: summary, statuses: ranking == nil ? nil : statuses))
    }
    if let summary {
      try Terminal.line(
        "\(candidates): \(summary.prompts) prompts, \(summary.answersPerPrompt) answers each of "
          + "\(Figures.one(summary.meanTokens)) tokens, \(summary.cut) cut")
    }
    guard ranking != nil else { return }
    let shown = PreferenceStatus.allCases.compactMap { status in
      statuses["\(status)"].map { "\($0) \(status)" }
    }
    try Terminal.line("\(output): " + shown.joined(separator: ", "))
  }

  private func imported(_ rendering: PromptRendering) throws -> UpstreamImport {
    guard let model else {
      throw UsageError("no --model", hint: "name the policy whose tokenizer and template are used")
    }
    guard let prompts else {
      throw UsageError("no --prompts", hint: "name the prompt set that generation read")
    }
    var upstream = UpstreamImport(model: model, prompts: prompts)
    upstream.pairs = pairs
    upstream.rendering = rendering
    upstream.maxNewTokens = maxlen ?? upstream.maxNewTokens
    upstream.iteration = iteration ?? upstream.iteration
    return upstream
  }

  private func choice<Choice: RawRepresentable & CaseIterable>(
    _ flag: String, _ text: String?
  ) throws -> Choice? where Choice.RawValue == String {
    guard let text else { return nil }
    guard let value = Choice(rawValue: text) else {
      let names = Choice.allCases.map(\.rawValue)
      throw UsageError(
        "\(flag) is \(text)", hint: "it must be one of \(names.joined(separator: ", "))")
    }
    return value
  }
}
