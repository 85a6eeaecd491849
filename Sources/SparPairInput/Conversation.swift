/// What the ranker reads as its source: it was trained on instructions, without a template.
public enum Conversation {
  /// A single message as it is.  Of several, a line each, "USER: …" and "Assistant: …" as
  /// LLM-Blender writes turns, after the text of system messages.
  public static func text(_ messages: [(role: String, content: String)]) -> String {
    if messages.count == 1 { return messages[0].content }
    return messages.map { message in
      switch message.role {
      case "user": "USER: " + message.content
      case "assistant": "Assistant: " + message.content
      default: message.content
      }
    }.joined(separator: "\n")
  }
}
