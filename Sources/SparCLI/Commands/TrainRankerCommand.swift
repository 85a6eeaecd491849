import ArgumentParser
import SparData
import SparEvaluation
import SparModel
import SparPipeline
import SparPreference
import SparRankerTraining

struct TrainRankerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-ranker",
    abstract: "Train a ranker (GPM, Bradley-Terry or PairRM) on comparisons.",
    discussion: """
      Reads comparisons (JSONL, JSON, CSV, Parquet; prompt, chosen, rejected, as texts or \
      conversations; chosen_probs where the preference is a probability, margin where there is one), \
      puts a value head on a causal model (or PairRM's head on a DeBERTa encoder) and trains it: \
      the head alone, on states computed once, or with low-rank adapters or all weights. The \
      ranker is the Hugging Face folder OUTPUT_DIR/ranker, for `spar rank --ranker gpm \
      --ranker-option model=OUTPUT_DIR/ranker` (or bradley-terry, pairrm). Started again, the same \
      command goes on from its checkpoint.

      Settings have the names of the authors' code. Embeddings that all point one way are a local \
      minimum on cyclic preferences; --no-l2 avoids it (docs/train-ranker.md).
      """)

  @Option(help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
  var model: String

  @Option(help: "Comparisons: FILE[:FRACTION],…", completion: .file())
  var dataset: String

  @Option(help: "Comparisons that choose the best checkpoint.", completion: .file())
  var validation: String?

  @Option(
    help: """
      Comparisons that only the finished ranker is asked about: accuracy, and calibration of P by \
      mean-of-orders.
      """, completion: .file())
  var test: String?

  @Option(
    help: """
      File that keeps the transformer's states, for the next ranker that reads the same texts \
      (--train head).
      """, completion: .file())
  var states: String?

  @Option(help: "Folder for checkpoints, logs and the ranker.", completion: .directory)
  var outputDir = "ranker"

  @OptionGroup(title: "Head and loss") var head: RankerHeadArguments
  @OptionGroup(title: "Training") var training: RankerTrainingArguments
  @OptionGroup var data: DataOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    try training.check(head.kind)
    if states != nil, training.train != .head || head.kind == .pairrm {
      throw ValidationError(
        "--states keeps what --train head of gpm and bradley-terry computes once; here --kind is "
          + "\(head.kind.rawValue), --train \(training.train.rawValue)")
    }
    if validation != nil, training.validationShare != nil {
      throw ValidationError(
        "--validation names comparisons to validate on, --validation-share takes some of the "
          + "dataset; give one")
    }
    if training.evalSteps > 0, validation == nil, training.validationShare == nil {
      throw ValidationError(
        "--eval-steps says when to validate, but there is neither --validation nor "
          + "--validation-share")
    }
  }

  private struct Result: Encodable {
    var test: RankerAccuracyReport?
    var testLeftOut: Int?
    var ranker: String
    var steps: Int
    var pairs: Int
    var validationPairs: Int
    var skipped: [String: Int]
    var bestStep: Int?
    var validationAccuracy: Double?
    var validationLoss: Double?
    var longerWins: Double?
    var tau: Double
    var log: [[String: Double]]
  }

  func run() throws {
    let options = try training.options(head)
    let runtime = try common.runtime()
    let subject = try Subject(self, options, runtime)
    let line = ProgressLine()
    defer { line.finish() }
    let encoder = subject.encoder(options)
    func comparisons(_ path: String) throws -> RankerComparisons {
      try RankerComparisons(
        path, data.mixture(path), mapping: data.columns.mapping(), encoder: encoder)
    }
    let rows = try comparisons(dataset)
    let held = try validation.map(comparisons)
    let tested = try test.map { try TestComparisons($0, data, encoder: encoder) }
    for part in [rows, held].compactMap({ $0 }) where !part.skipped.isEmpty {
      Terminal.error("spar: \(part.path): \(part.skippedText)")
    }
    let trainer = try subject.trainer(
      rows.data, held?.data, digest: rows.digest + (held?.digest ?? ""), options, self)
    let show = line.stage("train-ranker")
    let isCancelled = { Interrupts.interruption.isRequested }
    let result = try trainer.run(progress: show, isCancelled: isCancelled)
    let found = try tested.map { rows in
      let scores = try trainer.scores(of: rows.data, progress: show, isCancelled: isCancelled)
      return try RankerAccuracyReport(
        rows.labelled, native: scores.map { AnswerTable([0, $0.first, -$0.second, 0]) },
        givesRawScores: true, rule: .meanOfOrders,
        ranker: "\(head.kind.rawValue) (model=\(result.folder))")
    }
    line.finish()
    guard !common.json else {
      return try Terminal.json(
        Result(
          test: found, testLeftOut: tested?.leftOut,
          ranker: result.folder, steps: result.steps, pairs: result.pairs,
          validationPairs: result.validationPairs, skipped: rows.skipped,
          bestStep: result.bestStep, validationAccuracy: result.accuracy,
          validationLoss: result.loss, longerWins: result.longerWins, tau: result.temperature,
          log: result.history.map(\.values)))
    }
    let last = result.history.last { $0.values["loss"] != nil }?.values
    try Terminal.line(
      "\(result.folder): \(result.steps) steps on \(result.pairs) comparisons"
        + (last.map {
          ", loss \(Figures.short($0["loss"] ?? 0)), accuracy \(percent($0["accuracy"]))"
        } ?? ""))
    if let accuracy = result.accuracy, let step = result.bestStep {
      try Terminal.line(
        "validation, \(result.validationPairs) comparisons: accuracy \(percent(accuracy)) at "
          + "step \(step); the longer answer wins \(percent(result.longerWins))")
    }
    if let found, let tested {
      try Terminal.line(
        "test, \(found.comparisons) comparisons"
          + (tested.leftOut > 0 ? ", \(tested.leftOut) left out:" : ":"))
      try Terminal.show(found)
    }
  }

  /// What is trained.
  private enum Subject {
    case valueHead(LanguageModel)
    case crossEncoder(CrossEncoder)

    init(
      _ command: TrainRankerCommand, _ options: RankerTrainingOptions, _ runtime: Runtime
    ) throws {
      guard command.head.kind == .pairrm else {
        self = .valueHead(try runtime.model(command.model))
        return
      }
      self = .crossEncoder(
        try CrossEncoder(
          ModelFiles.open(command.model), backend: runtime.backend,
          sourceMaxLength: command.training.sourceMaxLength ?? 1224,
          candidateMaxLength: command.training.candidateMaxLength ?? 412,
          seed: options.training.seed))
    }

    func encoder(_ options: RankerTrainingOptions) -> any ComparisonEncoder {
      switch self {
      case .valueHead(let model): RankerEncoder(model, maxLength: options.maxLength)
      case .crossEncoder(let encoder): encoder
      }
    }

    func trainer(
      _ data: RankerData, _ validation: RankerData?, digest: String,
      _ options: RankerTrainingOptions, _ command: TrainRankerCommand
    ) throws -> RankerTrainer {
      switch self {
      case .valueHead(let model):
        var kept: StatesFile?
        if let states = command.states { kept = try StatesFile(states, model: model) }
        return try RankerTrainer(
          model, data: data, validation: validation, dataDigest: digest, options: options,
          output: command.outputDir, states: kept)
      case .crossEncoder(let encoder):
        return try RankerTrainer(
          encoder, data: data, validation: validation, dataDigest: digest, options: options,
          output: command.outputDir)
      }
    }
  }

  private func percent(_ share: Double?) -> String {
    share.map { Figures.short(100 * $0) + " %" } ?? "–"
  }
}
