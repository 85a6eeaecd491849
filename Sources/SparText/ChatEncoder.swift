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

  /// The ids of a prompt that is plain text, with the tokens that the tokenizer puts around text, as
  /// TRL does; an end token behind the prompt would end it and stays away.
  public func prompt(text: String) -> [Int32] {
    let ids = tokenizer.encode(text, special: true)
    guard let last = ids.last, endIDs.contains(last), ids.count > 1 else { return ids }
    return tokenizer.encode(text).last == last ? ids : ids.dropLast()
  }

  /// The text of `messages`; nil where the model has no template.
  ///
  /// - Throws: `JinjaError` where the template refuses the conversation.
  public func render(_ messages: [ChatMessage], addGenerationPrompt: Bool) throws -> String? {
    try template?.render(
      messages, addGenerationPrompt: addGenerationPrompt, variables: variables)
  }
}
