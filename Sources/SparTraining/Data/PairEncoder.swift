import SparData
import SparText

/// One turn of a conversation, as training data have it.
public struct PairMessage: Equatable, Sendable, Codable {
  public var role: String
  public var content: String

  public init(role: String, content: String) {
    self.role = role
    self.content = content
  }
}

/// Turns the texts of pairs into ids; a language model is one.
public protocol PairEncoder {
  /// The conversation as the chat template renders it, ready for the answer.
  func prompt(_ messages: [PairMessage]) throws -> [Int32]
  /// Plain text as it stands.
  func text(_ text: String) throws -> [Int32]
  /// An answer's ids with the end token.
  func answer(_ text: String) throws -> [Int32]
  /// The id that begins every prompt, which a cut must not remove; nil where there is none.
  var beginID: Int32? { get }

  /// A prompt with the texts that answer it.  Yours for free, by the functions above.
  func encode(
    _ prompt: Example.Prompt, answers: [String]
  ) throws -> (prompt: [Int32], answers: [[Int32]])
}

extension PairEncoder {
  public func encode(
    _ prompt: Example.Prompt, answers: [String]
  ) throws -> (prompt: [Int32], answers: [[Int32]]) {
    let ids =
      switch prompt {
      case .ids(let ids): ids
      case .text(let text): try self.text(text)
      case .messages(let messages):
        try self.prompt(messages.map { PairMessage(role: $0.role, content: $0.content) })
      }
    return (ids, try answers.map { try answer($0) })
  }
}
