import SparText

/// What a chat template asks for and how it behaves.
public struct TemplateFacts: Encodable, Sendable, Equatable {
  /// Of the variables that programs pass beside `messages`, those that its text names.
  public var variables: [String]
  /// Whether a longer conversation begins with the text of a shorter one, so that a prompt and
  /// its answer can be told apart; nil where the template refuses to be tried.
  public var isPrefixPreserving: Bool?
  /// Its refusal, or where the texts part.
  public var remark: String?

  private static let known = [
    "add_generation_prompt", "bos_token", "eos_token", "pad_token", "unk_token", "tools",
    "builtin_tools", "custom_tools", "tools_in_user_message", "documents", "date_string",
    "strftime_now", "enable_thinking", "reasoning_effort", "system_message", "controls",
  ]

  /// nil for a model without a template.
  init?(_ files: ModelFiles) throws {
    guard let source = files.chatTemplate else { return nil }
    let words = Set(source.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
    variables = Self.known.filter(words.contains)
    do {
      let template = try ChatTemplate(source: source, name: files.path)
      let roles = files.storedTokenizer?.templateVariables ?? [:]
      let turns = [
        ChatMessage(role: "user", content: "Who?"), ChatMessage(role: "assistant", content: "I."),
        ChatMessage(role: "user", content: "Why?"),
      ]
      func text(_ count: Int, generation: Bool = false) throws -> String {
        try template.render(
          Array(turns.prefix(count)), addGenerationPrompt: generation, variables: roles)
      }
      let (prompt, answered, longer) = (
        try text(1, generation: true), try text(2), try text(3)
      )
      let opens = answered.utf8.starts(with: prompt.utf8)
      isPrefixPreserving = opens && longer.utf8.starts(with: answered.utf8)
      if isPrefixPreserving == false {
        remark =
          opens
          ? "a further turn changes the text of the turns before it"
          : "the text of a prompt with its answer does not begin with the text of the prompt"
      }
    } catch let error as JinjaError {
      remark = error.what
    }
  }
}
