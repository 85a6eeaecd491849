import CSparPlugin

/// One turn of a conversation.
public struct Message: Equatable {
  public var role: String
  public var content: String

  public init(role: String, content: String) {
    self.role = role
    self.content = content
  }
}

extension spar_text {
  /// Bytes that are not UTF-8 become U+FFFD.
  public var string: String {
    guard let start = p, n > 0 else { return "" }
    return String(
      decoding: UnsafeRawBufferPointer(start: start, count: Int(n)), as: UTF8.self)
  }
}

extension Query {
  /// The conversation before the answers, untemplated.
  public var messages: [Message] {
    UnsafeBufferPointer(start: c.messages, count: Int(c.n_messages)).map {
      Message(role: $0.role.string, content: $0.content.string)
    }
  }
}

/// Lends messages as the interface has them, for the call.
func withLent<Result>(
  _ messages: [Message], _ body: (UnsafeBufferPointer<spar_message>) throws -> Result
) rethrows -> Result {
  var bytes: [UInt8] = []
  var ends: [Int] = []
  for text in messages.flatMap({ [$0.role, $0.content] }) {
    bytes += text.utf8
    ends.append(bytes.count)
  }
  bytes.append(0)  // an address to point at, also where all texts are empty
  return try bytes.withUnsafeBytes { memory in
    func text(_ index: Int) -> spar_text {
      let begin = index == 0 ? 0 : ends[index - 1]
      return spar_text(
        p: memory.baseAddress.map { ($0 + begin).assumingMemoryBound(to: CChar.self) },
        n: UInt64(ends[index] - begin))
    }
    let lent = messages.indices.map {
      spar_message(role: text(2 * $0), content: text(2 * $0 + 1))
    }
    return try lent.withUnsafeBufferPointer(body)
  }
}
