import Foundation
import SparData
import SparGeneration
import SparHost
import SparModel
import SparPreference
import SparRankerTraining
import SparStore
import SparText

/// A model's answers to some prompts, and the comparisons that are made of them.
///
///     <folder>/right.h5  derailed.h5  heldout.jsonl  comparisons.jsonl
///
/// Answers of an interrupted run are kept; the comparisons to train on are written last.
public struct BootstrapRun {
  private let model: LanguageModel
  private let options: BootstrapOptions
  private let threads: Int

  /// What came out.
  public struct Summary: Equatable, Sendable {
    /// Comparisons to train on.
    public var path: String
    /// Comparisons held out; nil where none are wanted.
    public var heldoutPath: String?
    public var prompts: Int
    /// Comparisons by kind: to train on, and held out.
    public var training: [Corruption: Int]
    public var heldout: [Corruption: Int]
    /// What was left out, by reason.
    public var skipped: [String: Int]

    public var trainingCount: Int { training.values.reduce(0, +) }
    public var heldoutCount: Int { heldout.values.reduce(0, +) }
  }

  public init(_ model: LanguageModel, _ options: BootstrapOptions, threads: Int) throws {
    try options.validate()
    self.model = model
    self.options = options
    self.threads = threads
  }

  /// Answers `prompts` and writes comparisons.jsonl and heldout.jsonl into `folder`.
  public func run(
    prompts: [Prompt], source: String, folder: String, progress: ProgressHandler = { _ in },
    cancelled: () -> Bool = { false }
  ) throws -> Summary {
    let prompts = options.count > 0 ? Array(prompts.prefix(options.count)) : prompts
    if let prompt = prompts.first(where: { $0.ids != nil }) {
      throw RankerTrainingError.idPrompt(path: source, prompt: prompt.id)
    }
    let passes = options.kinds.contains(.derailed) ? 2.0 : 1
    func answers(
      _ name: String, pass: Double, temperature: Double, topP: Double
    ) throws -> [CandidateGroup] {
      try self.answers(
        prompts, source: source, to: "\(folder)/\(name).h5", temperature: temperature, topP: topP,
        progress: { part in
          // One bar for both passes.
          var whole = part
          whole.done = pass * part.total + part.done
          whole.total = passes * part.total
          progress(whole)
        }, cancelled: cancelled)
    }
    let right = try answers("right", pass: 0, temperature: options.temperature, topP: 0.95)
    var derailed: [CandidateGroup]?
    if options.kinds.contains(.derailed) {
      derailed = try answers(
        "derailed", pass: 1, temperature: options.derailTemperature, topP: 1)
    }
    let answered = zip(prompts, right).enumerated().map { place, pair in
      let answer = pair.1.answers[0]
      return BootstrapComparisons.Answered(
        id: pair.0.id, index: pair.0.index, prompt: pair.0.messages, answer: answer.text,
        isEnded: answer.isEnded, repetition: Repetition.rate(answer.contentIDs),
        derailed: derailed?[place].answers[0].text)
    }
    let comparisons = BootstrapComparisons(answered, options)
    let path = folder + "/comparisons.jsonl"
    guard comparisons.rows.contains(where: { !$0.isHeldOut }) else {
      throw RankerTrainingError.bootstrap(
        path: source, prompts: prompts.count, skipped: comparisons.skipped)
    }
    let heldout = comparisons.rows.filter(\.isHeldOut)
    var heldoutPath: String?
    if options.heldoutShare > 0 {
      guard !heldout.isEmpty else {
        throw RankerTrainingError.option(
          key: "heldout_share", found: "\(options.heldoutShare)",
          wanted: "large enough for one of \(prompts.count) prompts with a good answer, or 0")
      }
      try write(heldout, to: folder + "/heldout.jsonl")
      heldoutPath = folder + "/heldout.jsonl"
    }
    try write(comparisons.rows.filter { !$0.isHeldOut }, to: path)
    func count(_ isHeldOut: Bool) -> [Corruption: Int] {
      Dictionary(
        comparisons.rows.filter { $0.isHeldOut == isHeldOut }.map { ($0.kind, 1) },
        uniquingKeysWith: +)
    }
    return Summary(
      path: path, heldoutPath: heldoutPath, prompts: prompts.count, training: count(false),
      heldout: count(true), skipped: comparisons.skipped)
  }

  /// One answer a prompt; those of an earlier run where they are the same.
  private func answers(
    _ prompts: [Prompt], source: String, to path: String, temperature: Double, topP: Double,
    progress: ProgressHandler, cancelled: () -> Bool
  ) throws -> [CandidateGroup] {
    var generation = GenerationOptions()
    generation.pairs = 1
    generation.maxNewTokens = options.maxNewTokens
    generation.temperature = temperature
    generation.topP = topP
    generation.seed = options.seed
    // No iteration of self-play has these random streams.
    generation.iteration = -1
    if FileManager.default.fileExists(atPath: path) {
      let (table, attributes) = try CandidatesFile.read(path)
      let isSame =
        attributes.text("model_digest") == model.digest
        && attributes.text("backend") == model.backend.name
        && attributes["temperature"] == .double(temperature)
        && attributes["seed"] == .unsigned(options.seed)
        && attributes["max_new_tokens"] == .int(Int64(options.maxNewTokens))
        && table.rows.map(\.promptIndex) == prompts.map(\.index)
        && table.rows.map(\.messages)
          == prompts.map { $0.messages.map { .init(role: $0.role, content: $0.content) } }
      if isSame { return table.rows }
    }
    try GenerationStage(model, generation, threads: threads).run(
      prompts: prompts, source: source, output: path, progress: progress, cancelled: cancelled)
    return try CandidatesFile.read(path).table.rows
  }

  private func write(_ rows: [BootstrapComparison], to path: String) throws {
    let writer = try JSONLinesWriter(path)
    func message(_ role: String, _ text: String) -> JSONNode {
      .object([
        JSONMember(key: "role", value: .string(role)),
        JSONMember(key: "content", value: .string(text)),
      ])
    }
    for (number, row) in rows.enumerated() {
      let isPlain = row.prompt.count == 1 && row.prompt[0].role == "user"
      func answer(_ text: String) -> JSONNode {
        isPlain ? .string(text) : .array([message("assistant", text)])
      }
      let columns: [(String, JSONNode)] = [
        ("id", .string(row.id)),
        (
          "prompt",
          isPlain
            ? .string(row.prompt[0].content)
            : .array(row.prompt.map { message($0.role, $0.content) })
        ),
        ("chosen", answer(row.chosen)), ("rejected", answer(row.rejected)),
        ("subset", .string(row.kind.rawValue)),
      ]
      try writer.add(
        DataRow(
          columns: columns.map { JSONMember(key: $0.0, value: $0.1) },
          place: RowPlace(path: path, number: number + 1, unit: .line)))
    }
    try writer.finish()
  }
}
