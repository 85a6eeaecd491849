import SparText

/// How conversations become ids.
public enum PromptRendering: String, Codable, CaseIterable, Sendable {
  /// The template's generation prompt, one begin token, one end token, nothing tokenised twice.
  case exact
  /// As the published code of SPPO and GPO does it, its mistakes included: for comparisons.
  case upstream
}

/// The published pipeline's rendering of prompts and answers.
///
/// Generation renders the conversation with an assistant who says "None" and cuts at the first
/// "None" (so a prompt with that word loses its end); training renders without a generation
/// prompt and cuts the answer off by the length of the prompt's text.  Both put a begin token in
/// front of a text that has one, and training an end token behind one.
public struct UpstreamRendering: Sendable {
  public struct Problem: Error, Equatable, CustomStringConvertible {
    public var description: String
  }

  private let chat: ChatEncoder

  public init(_ chat: ChatEncoder) { self.chat = chat }

  /// The text that generation starts from.
  public func generationText(_ messages: [ChatMessage]) throws -> String {
    let asked = messages + [ChatMessage(role: "assistant", content: "None")]
    let text = try render(asked)
    guard let cut = text.firstRange(of: "None") else { return text }
    return String(text[..<cut.lowerBound])
  }

  /// Its ids, with the begin token that the sampler's tokenizer adds.
  public func generationPrompt(_ messages: [ChatMessage]) throws -> [Int32] {
    begin(chat.tokenizer.encode(try generationText(messages)))
  }

  /// Prompt and answers as the trainer sees them; the prompt is the same for all answers.
  public func training(
    _ messages: [ChatMessage], answers: [String]
  ) throws -> (prompt: [Int32], answers: [[Int32]]) {
    let prompt = try render(messages)
    return try ids(
      prompt, answers: answers.map { try self.answerText(messages, answer: $0, behind: prompt) })
  }

  /// The same for a prompt that is plain text.
  public func training(
    text prompt: String, answers: [String]
  ) throws -> (prompt: [Int32], answers: [[Int32]]) {
    try ids(prompt, answers: answers)
  }

  private func ids(
    _ prompt: String, answers: [String]
  ) throws -> (prompt: [Int32], answers: [[Int32]]) {
    let promptIDs = chat.tokenizer.encode(prompt)
    let cuts = answers.map { split(chat.tokenizer.encode(prompt + $0), prompt: promptIDs) }
    guard let first = cuts.first else { return (begin(promptIDs), []) }
    guard cuts.allSatisfy({ $0.prompt == first.prompt }) else {
      throw Problem(
        description: "the prompt's last token depends on the answer, which the published code "
          + "scores as two prompts; use --render exact")
    }
    return (begin(first.prompt), cuts.map { $0.answer + chat.endIDs.prefix(1) })
  }

  /// The text of the answer as the trainer cuts it.
  public func answerText(_ messages: [ChatMessage], answer: String) throws -> String {
    try answerText(messages, answer: answer, behind: render(messages))
  }

  private func answerText(
    _ messages: [ChatMessage], answer: String, behind prompt: String
  ) throws -> String {
    let whole = try render(messages + [ChatMessage(role: "assistant", content: answer)])
    // Python slices by code points.
    return String(whole.unicodeScalars.dropFirst(prompt.unicodeScalars.count))
  }

  /// Where tokens merge across the seam, the boundary moves one token to the left.
  private func split(
    _ whole: [Int32], prompt: [Int32]
  ) -> (prompt: [Int32], answer: [Int32]) {
    let cut = whole.starts(with: prompt) ? prompt.count : max(prompt.count - 1, 0)
    return (Array(whole.prefix(cut)), Array(whole.dropFirst(cut)))
  }

  private func begin(_ ids: [Int32]) -> [Int32] { (chat.tokenizer.bos.map { [$0] } ?? []) + ids }

  private func render(_ messages: [ChatMessage]) throws -> String {
    if let text = try chat.render(messages, addGenerationPrompt: false) { return text }
    // The published code's own template for models that bring none.
    return messages.map { "<|\($0.role)|>\n\($0.content)\(chat.tokenizer.eosToken ?? "")\n" }
      .joined()
  }
}

/// The published trainer's cut to length.
///
/// If a prompt and the longest answer are too long together, the prompt loses all but
/// `maxPromptLength` tokens; if that does not help, every answer loses all but
/// `maxLength - maxPromptLength`, even those that fit.  Begin and end tokens are not kept.
public enum UpstreamTruncation {
  public static func apply(
    prompt: inout [Int32], answers: inout [[Int32]], maxLength: Int, maxPromptLength: Int,
    keepsEnd: Bool
  ) {
    let longest = answers.map(\.count).max() ?? 0
    if prompt.count + longest > maxLength {
      prompt = Array(
        keepsEnd ? prompt.suffix(maxPromptLength) : prompt.prefix(maxPromptLength))
    }
    if prompt.count + longest > maxLength {
      answers = answers.map { Array($0.prefix(maxLength - maxPromptLength)) }
    }
  }
}
