/// A model's way from conversations to ids: tokenizer, chat template and end tokens, without
/// weights.
public struct ChatEncoder: Sendable {
  public let tokenizer: Tokenizer
  public let template: ChatTemplate?
  /// bos_token, eos_token and the like, as templates expect them.
  public let variables: [String: JinjaValue]
  /// Ids that end an answer; the first is what training appends.
  public let endIDs: [Int32]
  /// For messages.
  public let path: String

  public init(
    tokenizer: Tokenizer, template: ChatTemplate?, variables: [String: JinjaValue],
    endIDs: [Int32], path: String
  ) {
    self.tokenizer = tokenizer
    self.template = template
    self.variables = variables
    self.endIDs = endIDs
    self.path = path
  }

  /// The text of `messages`; nil where the model has no template.
  ///
  /// - Throws: `JinjaError` where the template refuses the conversation.
  public func render(_ messages: [ChatMessage], addGenerationPrompt: Bool) throws -> String? {
    try template?.render(
      messages, addGenerationPrompt: addGenerationPrompt, variables: variables)
  }
}
