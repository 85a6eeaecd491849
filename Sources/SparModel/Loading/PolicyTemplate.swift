import SparText

extension Tokenizer {
  /// bos_token, eos_token and the like, as templates expect them.
  public var templateVariables: [String: JinjaValue] {
    var variables: [String: JinjaValue] = [:]
    let named = [("bos_token", bos), ("eos_token", eos), ("pad_token", pad), ("unk_token", unk)]
    for (name, id) in named {
      if let id, let token = token(id) { variables[name] = .string(token) }
    }
    return variables
  }
}

/// The text that a model is given for a conversation, without the model's weights.
public struct PolicyTemplate {
  private let template: ChatTemplate
  private let variables: [String: JinjaValue]

  /// - Throws: `ModelError.noChatTemplate`, and what opening the files throws.
  public init(_ files: ModelFiles) throws {
    guard let source = files.chatTemplate else {
      throw ModelError(.noChatTemplate, path: files.path)
    }
    template = try ChatTemplate(source: source, name: files.path)
    variables = files.tokenizer.templateVariables
  }

  /// Ready for the answer: the assistant's header stands at the end.
  public func callAsFunction(_ messages: [ChatMessage]) throws -> String {
    try template.render(messages, addGenerationPrompt: true, variables: variables)
  }
}
