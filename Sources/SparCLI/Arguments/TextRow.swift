import SparModel
import SparText

/// A line of text for a model: a prompt and, often, a completion.
///
/// A prompt that is text is tokenised as it is, one that is a list of messages goes through the
/// chat template; nothing is appended to a completion.  `text` is a prompt without completion.
struct TextRow: Decodable {
  /// Text, or a conversation.
  private enum Words: Decodable {
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

  /// An id that people write as text or as a number.
  private struct Identifier: Decodable {
    var text: String

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      do {
        text = try value.decode(String.self)
      } catch DecodingError.typeMismatch {
        text = "\(try value.decode(Int.self))"
      }
    }
  }

  struct Problem: Error, CustomStringConvertible {
    var description: String
  }

  private var identifier: Identifier?
  private var text: String?
  private var prompt: Words?
  private var promptIDs: [Int32]?
  private var messages: [ChatMessage]?
  private var completion: String?
  private var completionIDs: [Int32]?

  private enum CodingKeys: String, CodingKey {
    case identifier = "id"
    case text, prompt, messages, completion
    case promptIDs = "prompt_ids"
    case completionIDs = "completion_ids"
  }

  var id: String? { identifier?.text }
  var hasCompletion: Bool { completion != nil || completionIDs != nil }

  /// The ids of prompt and completion, fit for the model; the completion is empty where there is
  /// none.
  func ids(_ model: LanguageModel) throws -> (prompt: [Int32], completion: [Int32]) {
    let prompt = try promptIDs(model)
    let completion = try completionIDs(model)
    try Self.require(prompt, completion, fit: model)
    return (prompt, completion)
  }

  /// Throws where the model cannot take the ids.
  static func require(
    _ prompt: [Int32], _ completion: [Int32], fit model: LanguageModel
  ) throws(Problem) {
    guard !prompt.isEmpty else {
      throw Problem(description: "the prompt has no token; the first token needs one before it")
    }
    let vocabulary = 0..<Int32(model.config.vocabularySize)
    if let id = (prompt + completion).first(where: { !vocabulary.contains($0) }) {
      throw Problem(description: "id \(id) is not in the vocabulary of \(vocabulary.upperBound)")
    }
    let length = prompt.count + completion.count
    guard length <= model.config.maxPositions else {
      throw Problem(description: "\(length) tokens, the model holds \(model.config.maxPositions)")
    }
  }

  private func promptIDs(_ model: LanguageModel) throws -> [Int32] {
    switch (prompt, promptIDs, messages, text) {
    case (.text(let text)?, nil, nil, nil), (nil, nil, nil, let text?):
      return try model.tokenizer.encode(text)
    case (.messages(let messages)?, nil, nil, nil), (nil, nil, let messages?, nil):
      return try model.prompt(messages)
    case (nil, let ids?, nil, nil): return ids
    default:
      throw Problem(description: "one of prompt, prompt_ids, messages or text is needed")
    }
  }

  private func completionIDs(_ model: LanguageModel) throws -> [Int32] {
    switch (completion, completionIDs) {
    case (let completion?, nil) where text == nil:
      return try model.tokenizer.encode(completion)
    case (nil, let ids?) where text == nil: return ids
    case (nil, nil): return []
    case (_?, _?):
      throw Problem(description: "either completion or completion_ids, not both")
    default:
      throw Problem(description: "text stands alone; with a completion it is called prompt")
    }
  }
}
