import SparModel
import SparText

/// Conversations as the ids that a ranker reads: the template's text, no tokens added.
///
/// The prompt is rendered without a generation prompt, so that an answer's ids hold its header; the
/// gate reads at the end of the prompt.  The same text is what `gpm` and `bradley-terry` rank by for
/// a ranker whose config.json says `text: template`.
public struct RankerEncoder: ComparisonEncoder {
  private let model: LanguageModel
  private let maxLength: Int

  public init(_ model: LanguageModel, maxLength: Int) {
    self.model = model
    self.maxLength = min(maxLength, model.config.maxPositions)
  }

  /// Adds one comparison to `data`.
  ///
  /// - Throws: `JinjaError` where the template refuses the conversation, `RankerTrainingError.row`
  ///   where it is not prefix-preserving.
  public func add(
    prompt: [ChatMessage], chosen: String, rejected: String, probability: Double = 1,
    margin: Double = 0, place: String, to data: inout RankerData
  ) throws -> ComparisonOutcome {
    let turn = try ids(prompt)
    guard turn.count < maxLength else { return .promptTooLong }
    var isCut = false
    func answer(_ text: String) throws -> [Int32] {
      let whole = try ids(prompt + [ChatMessage(role: "assistant", content: text)])
      guard whole.count > turn.count, whole.starts(with: turn) else {
        throw RankerTrainingError.row(
          place: place,
          problem: "the chat template renders the prompt otherwise once an answer follows, "
            + "so prompt and answer cannot be told apart")
      }
      isCut = isCut || whole.count > maxLength
      return Array(whole[turn.count..<min(whole.count, maxLength)])
    }
    let (better, worse) = (try answer(chosen), try answer(rejected))
    guard better != worse else { return .identical }
    data.pairs.append(
      RankerData.Pair(
        chosen: data.add(prompt: turn, answer: better),
        rejected: data.add(prompt: turn, answer: worse), probability: probability, margin: margin))
    return isCut ? .truncated : .added
  }

  private func ids(_ messages: [ChatMessage]) throws -> [Int32] {
    guard let template = model.chatTemplate else {
      throw ModelError(.noChatTemplate, path: model.path)
    }
    return try model.tokenizer.encode(
      try template.render(
        messages, addGenerationPrompt: false, variables: model.templateVariables))
  }
}
