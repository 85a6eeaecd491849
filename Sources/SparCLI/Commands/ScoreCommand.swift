import ArgumentParser
import SparModel
import SparText

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

  @OptionGroup var common: CommonOptions

  /// Text, or a conversation.
  private enum PromptText: Decodable {
    case text(String)
    case messages([ChatMessage])

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      do {
        self = .text(try value.decode(String.self))
      } catch DecodingError.typeMismatch {
        self = .messages(try value.decode([ChatMessage].self))
      }
    }
  }

  private struct Row: Decodable {
    var prompt: PromptText?
    var promptIDs: [Int32]?
    var completion: String?
    var completionIDs: [Int32]?

    private enum CodingKeys: String, CodingKey {
      case prompt, completion
      case promptIDs = "prompt_ids"
      case completionIDs = "completion_ids"
    }
  }

  private struct Scored: Encodable {
    var ids: [Int32]
    var logps: [Float]
    var sum: Double
  }

  private struct Problem: Error, CustomStringConvertible {
    var description: String
  }

  func run() throws {
    let model = try common.runtime().model(model)
    try JSONLines(path: input).forEach(Row.self) { row in
      let prompt = try promptIDs(row, model)
      let completion = try completionIDs(row, model)
      guard !prompt.isEmpty else {
        throw Problem(description: "the prompt has no token; the first token needs one before it")
      }
      let vocabulary = 0..<Int32(model.config.vocabularySize)
      if let id = (prompt + completion).first(where: { !vocabulary.contains($0) }) {
        throw Problem(
          description: "id \(id) is not in the vocabulary of \(vocabulary.upperBound)")
      }
      let length = prompt.count + completion.count
      guard length <= model.config.maxPositions else {
        throw Problem(
          description: "\(length) tokens, the model holds \(model.config.maxPositions)")
      }
      var batch = ScoringBatch()
      batch.append(prompt: prompt, answers: [completion])
      let logps = try model.logps(batch)
      try Terminal.json(
        Scored(ids: completion, logps: logps, sum: logps.reduce(0) { $0 + Double($1) }))
    }
  }

  private func promptIDs(_ row: Row, _ model: LanguageModel) throws -> [Int32] {
    switch (row.prompt, row.promptIDs) {
    case (.text(let text)?, nil): return model.tokenizer.encode(text)
    case (.messages(let messages)?, nil): return try model.prompt(messages)
    case (nil, let ids?): return ids
    default: throw Problem(description: "either prompt or prompt_ids is needed")
    }
  }

  private func completionIDs(_ row: Row, _ model: LanguageModel) throws -> [Int32] {
    switch (row.completion, row.completionIDs) {
    case (let text?, nil): return model.tokenizer.encode(text)
    case (nil, let ids?): return ids
    default: throw Problem(description: "either completion or completion_ids is needed")
    }
  }
}
