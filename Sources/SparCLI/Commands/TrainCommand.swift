import ArgumentParser
import SparData
import SparPipeline
import SparText
import SparTraining

struct TrainCommand: RecipeCommand {
  static let uses = [
    "preset", "model", "output_dir", "seed", "render", "backend", "threads", "objective.", "train.",
  ]
  static let options = CaptureFlags.options.union(DataOptions.names).union([
    "candidates", "preferences", "capture-every", "allow",
  ])
  static let switches: Set<String> = ["no-doctor", "log-odds"]

  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a policy on preferences; checkpoints go to output_dir.",
    discussion: """
      Reads preferences.h5 and the candidates.h5 that it names, or pairs: a .jsonl, .json, .csv \
      or .parquet file, a folder, a pattern, or a mixture such as a.parquet:0.5,b.jsonl \
      (docs/data.md; `spar data inspect` shows the form). Pairs that would train wrongly are \
      refused: see `spar data doctor`. Started again, it goes on from the newest checkpoint, to \
      the same bits.

      \(settingsHelp)
      """)

  @Option(help: "Recipe to take settings from.", completion: .file())
  var config: String?

  @Option(
    help: "What a ranker made of answers (.h5), or pairs: a file, a folder or a mixture.",
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

  @OptionGroup var data: DataOptions

  @Flag(help: "chosen_probs, …_win and …_lose of pairs are log-odds: the published data for GPO.")
  var logOdds = false

  @Flag(help: "Train on pairs whatever the doctor says.")
  var noDoctor = false

  @Option(
    help: ArgumentHelp(
      "Put up with this error of the doctor; may be repeated.", valueName: "finding"))
  var allow: [String] = []

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
    if recipe.train.referenceFromGeneration, case .pairs = source {
      throw UsageError(
        "--reference_from_generation takes log-probabilities from candidates.h5, and "
          + "\(preferences) holds pairs",
        hint: "leave it out; ref_chosen_logps and ref_rejected_logps are read where data have them")
    }
    try checkCapture(source)
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
    for source in training.sources where training.sources.count > 1 {
      let part = source.of.map { " of \($0)" } ?? ""
      try Terminal.line("\(source.path): \(source.rows)\(part) rows, \(source.form)")
    }
    for text in MetricsTable.lines(result.history) { try Terminal.line(text) }
    // Such as one step that warms up: as in Hugging Face's schedulers, it starts from 0.
    if !result.history.isEmpty, result.history.allSatisfy({ $0.values["learning_rate"] == 0 }) {
      Terminal.error(
        "spar: warning: the step size was 0 in every step, so nothing was learnt; lower "
          + "warmup_ratio or warmup_steps, or train longer")
    }
    let (first, last) = (result.figures["first_loss"], result.figures["last_loss"])
    let loss = first.flatMap { first in
      last.map { "loss \(Figures.short(first)) → \(Figures.short($0)), " }
    }
    try Terminal.line(
      "\(result.checkpoint): \(result.steps) steps on \(training.groups) prompts, \(loss ?? "")"
        + "\(Figures.whole(result.tokensPerSecond)) tokens/s")
  }

  private func checkCapture(_ source: TrainingData) throws {
    var files = OutputFiles()
    switch source {
    case .stored(let preferences, let candidates):
      files.reads("--preferences", preferences)
      files.reads("--candidates", candidates)
    case .pairs(let pairs, _): files.reads("--preferences", try pairs.mixture.files())
    }
    files.reads("--config", config)
    try files.writes("--capture", capture.capture)
  }

  private func source() throws -> TrainingData {
    guard ![".h5", ".hdf5"].contains(where: preferences.hasSuffix) else {
      guard !data.isGiven, !noDoctor, !logOdds, allow.isEmpty else {
        throw UsageError(
          "\(preferences) holds a ranking, for which --column, --sample-seed, --log-odds, "
            + "--no-doctor and --allow have no meaning")
      }
      return .stored(
        preferences: preferences,
        candidates: try candidates ?? TrainingData.candidates(of: preferences))
    }
    guard candidates == nil else {
      throw UsageError("--candidates is given, but \(preferences) holds pairs, not a ranking")
    }
    return .pairs(
      PairsSource(
        mixture: try data.mixture(preferences), mapping: try data.columns.mapping(),
        readsLogOdds: logOdds),
      doctor: DoctorPolicy(isAsked: !noDoctor, allowed: try allowed()))
  }

  private func allowed() throws -> Set<FindingKind> {
    guard !noDoctor || allow.isEmpty else {
      throw UsageError("--allow is for the doctor, whom --no-doctor sends away")
    }
    // A row that cannot be read cannot be trained on.
    let errors = FindingKind.allCases.filter {
      $0.severity == .error && $0 != .unreadableRow
    }
    return Set(
      try allow.map { name in
        guard let kind = errors.first(where: { $0.rawValue == name }) else {
          let nearest = NearestName.of(name, among: errors.map(\.rawValue))
          throw UsageError(
            "the doctor knows no error \(name)" + (nearest.map { "; did you mean \($0)?" } ?? ""),
            hint: "errors are \(errors.map(\.rawValue).joined(separator: ", "))")
        }
        return kind
      })
  }
}
