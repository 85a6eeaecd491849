import SparText

/// Messages out of a value, and messages in a row.
enum Conversation {
  /// What is wrong, without the place.
  struct Problem: Error, Equatable {
    var text: String
  }

  /// A list of `{role, content}`, or the struct of lists that older `datasets` write.
  static func messages(_ value: JSONNode?, _ name: String) throws(Problem) -> [ChatMessage] {
    guard let value else { throw Problem(text: "\(name) is missing") }
    if case .object = value, let roles = value["role"]?.array,
      let contents = value["content"]?.array, roles.count == contents.count, !roles.isEmpty
    {
      var messages: [ChatMessage] = []
      for (role, content) in zip(roles, contents) {
        messages.append(try message(role, content, name))
      }
      return messages
    }
    guard let turns = value.array, !turns.isEmpty else {
      throw Problem(text: "\(name) must be a text or a list of messages")
    }
    var messages: [ChatMessage] = []
    for turn in turns {
      guard turn.members != nil else {
        throw Problem(text: "\(name) must be a text or a list of messages")
      }
      messages.append(try message(turn["role"], turn["content"], name))
    }
    return messages
  }

  private static func message(
    _ role: JSONNode?, _ content: JSONNode?, _ name: String
  ) throws(Problem) -> ChatMessage {
    guard let role = role?.string, let text = text(content) else {
      throw Problem(text: "a message of \(name) has no role or no content")
    }
    return ChatMessage(role: role, content: text)
  }

  /// A text, or a list of parts that are all text.
  private static func text(_ content: JSONNode?) -> String? {
    if let text = content?.string { return text }
    guard let parts = content?.array, !parts.isEmpty else { return nil }
    var whole = ""
    for part in parts {
      guard part["type"]?.string == "text", let text = part["text"]?.string else { return nil }
      whole += text
    }
    return whole
  }

  static func node(_ messages: [ChatMessage]) -> JSONNode {
    .array(
      messages.map {
        .object([
          JSONMember(key: "role", value: .string($0.role)),
          JSONMember(key: "content", value: .string($0.content)),
        ])
      })
  }

  /// ShareGPT's names of roles.
  private static let roles = [
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
    "system": "system", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant",
  ]

  /// One turn `{from, value}`; some files have `role` and `content` instead.
  static func sharegptTurn(_ turn: JSONNode, _ name: String) throws(Problem) -> ChatMessage {
    guard let from = turn["from"]?.string ?? turn["role"]?.string,
      let text = turn["value"]?.string ?? turn["content"]?.string
    else { throw Problem(text: "a turn of \(name) has no from or no value") }
    guard let role = roles[from] else {
      throw Problem(
        text: "a turn of \(name) is from \"\(from)\"; known are "
          + roles.keys.sorted().joined(separator: ", "))
    }
    return ChatMessage(role: role, content: text)
  }
}
