import ArgumentParser
import SparData
import SparModel

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Log-probabilities of completions under a model.",
    discussion: """
      In:  {"prompt": text or messages, "completion": text}, or prompt_ids and completion_ids; or \
      pairs; as JSON lines on stdin, or as any data file, folder or mixture (docs/data.md).
      Out: {"ids": […], "logps": […], "sum": …}, natural logarithms, one for each token of the \
      completion; for pairs {"chosen": {…}, "rejected": {…}}. A JSON line for each row.

      A prompt that is text is tokenised as it is, one that is a list of messages goes through the \
      chat template. Nothing is appended to the completion.
      """)

  @Option(help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
  var model: String

  @Option(
    name: .shortAndLong, help: "Data; - for JSON lines on stdin.", completion: .file())
  var input = "-"

  @OptionGroup var data: DataOptions
  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  private struct Scored: Encodable {
    var ids: [Int32]
    var logps: [Float]
    var sum: Double
  }

  func validate() throws {
    if input == "-", data.isGiven {
      throw ValidationError("--column and --sample-seed are for files, not for stdin")
    }
  }

  func run() throws {
    guard input != "-" else { return try scoreLines() }
    let reader = try data.reader(input)
    let model = try common.runtime(storage).model(model)
    do {
      while let (row, form) = try reader.nextWithForm() {
        do {
          try score(Example(row, form: form), form, model)
        } catch let problem as TextRow.Problem {
          throw row.error(problem.description)
        }
      }
    } catch let error as DataError {
      guard let row = error.row else { throw error }
      throw JSONLines.Failure(place: "\(row.path):\(row.number)", problem: error.problem)
    }
  }

  private func scoreLines() throws {
    let model = try common.runtime(storage).model(model)
    try JSONLines(path: input).forEach(TextRow.self) { row in
      guard row.hasCompletion else {
        throw TextRow.Problem(description: "either completion or completion_ids is needed")
      }
      let (prompt, completion) = try row.ids(model)
      try Terminal.json(scored(prompt, [completion], model)[0])
    }
  }

  private func score(_ example: Example, _ form: DataForm, _ model: LanguageModel) throws {
    guard !example.answers.isEmpty else {
      throw TextRow.Problem(description: "either completion or completion_ids is needed")
    }
    let prompt =
      switch example.prompt {
      case .ids(let ids): ids
      case .text(let text): try model.tokenizer.encode(text)
      case .messages(let messages): try model.prompt(messages)
      }
    let answers = try example.answers.map { answer in
      switch answer {
      case .ids(let ids): ids
      case .text(let text): try model.tokenizer.encode(text)
      }
    }
    for answer in answers { try TextRow.require(prompt, answer, fit: model) }
    let results = try scored(prompt, answers, model)
    guard form.hasPairs else { return try Terminal.json(results[0]) }
    let names =
      form == .candidates ? answers.indices.map { "generate_\($0)" } : ["chosen", "rejected"]
    try Terminal.json(Dictionary(uniqueKeysWithValues: zip(names, results)))
  }

  private func scored(
    _ prompt: [Int32], _ answers: [[Int32]], _ model: LanguageModel
  ) throws -> [Scored] {
    var batch = ScoringBatch()
    batch.append(prompt: prompt, answers: answers)
    var rest = try model.logps(batch)[...]
    return answers.map { ids in
      defer { rest = rest.dropFirst(ids.count) }
      let logps = Array(rest.prefix(ids.count))
      return Scored(ids: ids, logps: logps, sum: logps.reduce(0) { $0 + Double($1) })
    }
  }
}
