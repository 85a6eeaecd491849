import Foundation

/// A chat template: Jinja that turns a conversation into the text a model was trained on.
///
///     let template = try ChatTemplate(source: config.chatTemplate ?? "", name: "chat_template")
///     let prompt = try template.render(messages, addGenerationPrompt: true,
///       variables: ["bos_token": .string("<s>")])
///
/// Renders as transformers' `apply_chat_template` does: `trim_blocks`, `lstrip_blocks`, loop
/// controls, `raise_exception`, `strftime_now`, `tojson` without HTML escapes; `tools` and
/// `documents` are none unless given.
public struct ChatTemplate: Sendable {
  public let source: String
  public let name: String
  public var limits = JinjaLimits()
  /// What `strftime_now` takes for the time; nil is the clock.
  public var now: Date?
  private let body: JinjaFrame

  /// - Throws: `JinjaError` with the line that does not parse.
  public init(source: String, name: String) throws {
    self.source = source
    self.name = name
    do throws(JinjaSyntaxError) {
      body = try JinjaParser.parse(source)
    } catch {
      throw JinjaError(
        template: name, line: error.line, what: error.what,
        cure: "the template is not valid Jinja; compare it with the model's original")
    }
  }

  /// The text for `messages`.
  ///
  /// - Parameters:
  ///   - addGenerationPrompt: end with the header of the assistant's next turn.
  ///   - variables: bos_token, eos_token, tools, date_string, …
  /// - Throws: `JinjaError`; for a conversation that the template refuses, `what` is the
  ///   template's own message.
  public func render(
    _ messages: [ChatMessage], addGenerationPrompt: Bool, variables: [String: JinjaValue] = [:]
  ) throws -> String {
    let values = messages.map { message in
      var value = JinjaDictionary()
      value["role"] = .string(message.role)
      value["content"] = .string(message.content)
      return JinjaValue.dictionary(value)
    }
    return try render(
      .list(values), addGenerationPrompt: addGenerationPrompt, variables: variables)
  }

  /// The same for messages with more than role and content (tool calls, parts).
  public func render(
    _ messages: JinjaValue, addGenerationPrompt: Bool, variables: [String: JinjaValue] = [:]
  ) throws -> String {
    var scope: [String: JinjaValue] = ["tools": .none, "documents": .none]
    scope.merge(variables) { $1 }
    scope["messages"] = messages
    scope["add_generation_prompt"] = .boolean(addGenerationPrompt)
    let interpreter = JinjaInterpreter(variables: scope, limits: limits, now: now ?? Date())
    do {
      return try interpreter.run(body)
    } catch let fault as JinjaFault {
      throw JinjaError(
        template: name, line: interpreter.line, what: fault.what, cure: fault.cure)
    }
  }
}
