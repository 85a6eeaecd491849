import SparHost
import SparStore

extension CandidateAnswer {
  /// Whether an end token closed it.
  public var isEnded: Bool { finish == .stop }

  /// The ids without the end token, so that lengths of ended and of cut-off answers compare.
  public var contentIDs: ArraySlice<Int32> { isEnded ? ids.dropLast() : ids[...] }
}

extension RankQuery {
  /// The conversation of `group` and the answers to compare.
  public init(_ group: CandidateGroup, answers: [CandidateAnswer], tokenizerDigest: String?) {
    self.init(
      messages: group.messages.map { (role: $0.role, content: $0.content) },
      responses: answers.map(\.text), promptIDs: group.promptIDs,
      responseIDs: answers.map { Array($0.contentIDs) }, tokenizerDigest: tokenizerDigest,
      row: group.row)
  }
}

extension [String: AttributeValue] {
  /// The attribute of that name, if it is there and a text.
  public func text(_ name: String) -> String? {
    guard case .string(let value)? = self[name] else { return nil }
    return value
  }
}
