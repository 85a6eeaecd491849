/// One turn of a conversation, in the words every chat template knows.
public struct ChatMessage: Codable, Equatable, Hashable, Sendable {
  /// "system", "user", "assistant"; other roles are passed on, the template decides.
  public var role: String
  public var content: String

  public init(role: String, content: String) {
    self.role = role
    self.content = content
  }
}
