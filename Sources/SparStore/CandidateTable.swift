import Foundation

/// One prompt and its K answers, as they were generated.
public struct CandidateGroup: Sendable, Equatable {
  /// One turn of the conversation that the prompt is.
  public struct Message: Sendable, Equatable, Codable {
    public var role: String
    public var content: String
    public init(role: String, content: String) {
      self.role = role
      self.content = content
    }
  }
  /// Row in the prompt file.
  public var promptIndex: Int
  public var promptID: String
  public var messages: [Message]
  /// The rendered prompt as it was fed to the policy.
  public var promptIDs: [Int32]
  /// K of them.
  public var answers: [CandidateAnswer]
  /// The prompt's whole row of its file as JSON, where it has more columns than the conversation.
  public var row: String?

  public init(
    promptIndex: Int, promptID: String, messages: [Message], promptIDs: [Int32],
    answers: [CandidateAnswer], row: String? = nil
  ) {
    self.promptIndex = promptIndex
    self.promptID = promptID
    self.messages = messages
    self.promptIDs = promptIDs
    self.answers = answers
    self.row = row
  }
}

/// One answer: what was sampled, and how likely it was.
public struct CandidateAnswer: Sendable, Equatable {
  public enum Finish: Int8, Sendable, CaseIterable {
    /// An end token was sampled; it is the last of `ids`.
    case stop = 0
    /// The limit of new tokens was reached.
    case length = 1
  }
  /// The sampled ids, an end token included.
  public var ids: [Int32]
  /// Log-probability of each id under the sampling policy at temperature 1, in nats.
  public var logps: [Float]
  public var finish: Finish
  /// The decoded answer without special tokens.
  public var text: String

  public init(ids: [Int32], logps: [Float], finish: Finish, text: String) {
    self.ids = ids
    self.logps = logps
    self.finish = finish
    self.text = text
  }

  /// log π(answer | prompt), in nats, summed in double precision.
  public var sumLogp: Double { logps.reduce(0) { $0 + Double($1) } }
}

/// All groups of one generation.
public struct CandidateTable: Sendable, Equatable {
  /// Answers per prompt.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public var K: Int
  public var rows: [CandidateGroup]

  public init(K: Int, rows: [CandidateGroup]) {
    self.K = K
    self.rows = rows
  }
}
