import SparData
import SparModel
import SparText

extension TrainableModel {
  /// The trainable side of a language model: its parameters are changed in place.
  public init(_ model: LanguageModel) throws {
    let tokenizer = model.storedTokenizer
    self.init(
      architecture: model.architecture, backend: model.backend, digest: model.digest,
      texts: CheckpointTexts(
        config: String(decoding: try model.config.json(), as: UTF8.self),
        tokenizer: try tokenizer.map { String(decoding: try $0.tokenizerJSON(), as: UTF8.self) },
        tokenizerConfig: try tokenizer.map {
          String(decoding: try $0.tokenizerConfigJSON(chatTemplate: nil), as: UTF8.self)
        },
        chatTemplate: model.chatTemplate?.source))
  }
}

/// Pairs as a language model reads them.
public struct LanguageModelPairs: PairEncoder {
  private let model: LanguageModel
  private let rendering: PromptRendering

  public init(_ model: LanguageModel, rendering: PromptRendering = .exact) {
    self.model = model
    self.rendering = rendering
  }

  public var beginID: Int32? { model.storedTokenizer?.bos }

  public func prompt(_ messages: [PairMessage]) throws -> [Int32] {
    try model.prompt(messages.map { ChatMessage(role: $0.role, content: $0.content) })
  }

  public func text(_ text: String) throws -> [Int32] { try model.chat.prompt(text: text) }

  public func answer(_ text: String) throws -> [Int32] { try model.answer(text) }

  public func encode(
    _ prompt: Example.Prompt, answers: [String]
  ) throws -> (prompt: [Int32], answers: [[Int32]]) {
    switch (rendering, prompt) {
    case (.upstream, .messages(let messages)):
      return try UpstreamRendering(model.chat).training(messages, answers: answers)
    case (.upstream, .text(let text)):
      return try UpstreamRendering(model.chat).training(text: text, answers: answers)
    case (.exact, .messages(let messages)):
      return (try model.prompt(messages), try answers.map(model.answer))
    case (.exact, .text(let text)): return (try self.text(text), try answers.map(model.answer))
    case (_, .ids(let ids)): return (ids, try answers.map(model.answer))
    }
  }
}
