import ArgumentParser
import SparModel

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Log-probabilities of completions under a model, JSON lines in and out.",
    discussion: """
      In:  {"prompt": text or messages, "completion": text}, or prompt_ids and completion_ids.
      Out: {"ids": […], "logps": […], "sum": …}, natural logarithms, one for each token of the \
      completion.

      A prompt that is text is tokenised as it is, one that is a list of messages goes through the \
      chat template. Nothing is appended to the completion.
      """)

  @Option(help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
  var model: String

  @Option(name: .shortAndLong, help: "JSON lines; - for stdin.", completion: .file())
  var input = "-"

  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  private struct Scored: Encodable {
    var ids: [Int32]
    var logps: [Float]
    var sum: Double
  }

  func run() throws {
    let model = try common.runtime(storage).model(model)
    try JSONLines(path: input).forEach(TextRow.self) { row in
      guard row.hasCompletion else {
        throw TextRow.Problem(description: "either completion or completion_ids is needed")
      }
      let (prompt, completion) = try row.ids(model)
      var batch = ScoringBatch()
      batch.append(prompt: prompt, answers: [completion])
      let logps = try model.logps(batch)
      try Terminal.json(
        Scored(ids: completion, logps: logps, sum: logps.reduce(0) { $0 + Double($1) }))
    }
  }
}
