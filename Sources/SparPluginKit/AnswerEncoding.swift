/// How a conversation with its answers becomes the token ids that a reward model reads.
public struct AnswerEncoding {
  /// Which of upstream's treatments; they differ in BOS, EOS and truncation.
  public enum Treatment: String, CaseIterable {
    /// The template's text without any BOS, no special tokens, last token as it comes: what
    /// upstream's alignment code fed the model when it ranked.
    case ranking
    /// The template's text with special tokens added (two BOS where the template has one), the
    /// last token overwritten by EOS: what the model was trained and evaluated on.
    case training
    /// The template's text, no special tokens added: Hugging Face's `apply_chat_template`.
    case template
  }

  public var treatment: Treatment
  /// Ids of one sequence at most; the end is cut.
  public var maxTokens: Int

  public init(treatment: Treatment, maxTokens: Int) {
    self.treatment = treatment
    self.maxTokens = maxTokens
  }

  /// The answers of one prompt.
  public struct Encoded {
    /// Ids that all sequences begin with, none of them a sequence's last.
    public var prefix: [Int32]
    /// Each answer's ids after the prefix; at least one.
    public var answers: [[Int32]]
    /// Where in each whole sequence the user's turn ends.
    public var turnEnds: [Int]
    public var truncated: [Bool]
  }

  public func encode(
    _ messages: [Message], answers: [String], _ model: TextModel
  ) throws -> Encoded {
    let conversation = messages.isEmpty ? [Message(role: "user", content: "")] : messages
    let prompt = try ids(conversation, model)
    let turn =
      treatment == .training
      ? try ids(Self.firstTurn(of: conversation), model).count : prompt.count
    var encoded = Encoded(prefix: [], answers: [], turnEnds: [], truncated: [])
    for answer in answers {
      var sequence = try ids(conversation + [Message(role: "assistant", content: answer)], model)
      let rest = sequence.count - turn
      let isCut = sequence.count > maxTokens
      if isCut { sequence.removeLast(sequence.count - maxTokens) }
      if sequence.isEmpty { sequence = [model.info.eos ?? model.info.bos ?? 0] }
      if treatment == .training, let eos = model.info.eos { sequence[sequence.count - 1] = eos }
      encoded.answers.append(sequence)
      encoded.truncated.append(isCut)
      encoded.turnEnds.append(min(max(sequence.count - rest - 1, 0), sequence.count - 1))
    }
    let shared =
      encoded.answers.map { sequence in
        min(zip(sequence, prompt).prefix { $0 == $1 }.count, sequence.count - 1)
      }.min() ?? 0
    encoded.prefix = Array(prompt.prefix(shared))
    encoded.answers = encoded.answers.map { Array($0.dropFirst(shared)) }
    return encoded
  }

  /// The conversation up to the first user's turn: there training puts the gate.
  private static func firstTurn(of messages: [Message]) -> [Message] {
    guard let first = messages.firstIndex(where: { $0.role == "user" }) else { return messages }
    return Array(messages[...first])
  }

  private func ids(_ messages: [Message], _ model: TextModel) throws -> [Int32] {
    var text = try model.render(messages)
    if treatment == .ranking, let bos = model.info.bosToken, !bos.isEmpty {
      text = text.removing(bos)
    }
    return try model.encode(text, special: treatment == .training)
  }
}

extension String {
  /// Every occurrence of `other` taken out, byte by byte, from the left.
  public func removing(_ other: String) -> String {
    let (text, removed) = (Array(utf8), Array(other.utf8))
    guard let first = removed.first, text.count >= removed.count else { return self }
    var kept: [UInt8] = []
    kept.reserveCapacity(text.count)
    var at = 0
    while at < text.count {
      if text[at] == first, text.count - at >= removed.count,
        text[at..<(at + removed.count)].elementsEqual(removed)
      {
        at += removed.count
      } else {
        kept.append(text[at])
        at += 1
      }
    }
    return String(decoding: kept, as: UTF8.self)
  }
}
