/// Cuts prompts and answers to length.
///
/// A group that fits is left alone.  Otherwise the prompt is cut to `maxPromptLength` if it is
/// longer, keeping its begin token, and then each answer to what is left of `maxLength`.
struct SequenceTruncation {
  let maxLength: Int
  let maxPromptLength: Int
  let mode: TrainingOptions.Truncation
  let beginID: Int32?

  init(_ options: TrainingOptions, beginID: Int32?) {
    maxLength = options.maxLength
    maxPromptLength = options.maxPromptLength
    mode = options.truncation
    self.beginID = beginID
  }

  /// Cuts `group`; an answer that changes loses its reference log-probabilities, and so do all
  /// when the prompt changes.  Returns what is wrong where nothing may be cut.
  func apply(to group: inout TrainingGroup) -> String? {
    let longest = group.answers.map(\.ids.count).max() ?? 0
    let length = group.promptIDs.count + longest
    if length <= maxLength { return nil }
    if mode == .refuse {
      return "prompt and answer have \(length) tokens, the limit is \(maxLength); "
        + "raise maxLength or choose another truncation"
    }
    if group.promptIDs.count > maxPromptLength {
      group.promptIDs = cut(group.promptIDs)
      for index in group.answers.indices { forgetReference(&group.answers[index]) }
    }
    let room = maxLength - group.promptIDs.count
    for index in group.answers.indices where group.answers[index].ids.count > room {
      group.answers[index].ids.removeLast(group.answers[index].ids.count - room)
      forgetReference(&group.answers[index])
    }
    return nil
  }

  private func cut(_ prompt: [Int32]) -> [Int32] {
    if mode == .keepStart { return Array(prompt.prefix(maxPromptLength)) }
    guard let beginID, prompt.first == beginID else {
      return Array(prompt.suffix(maxPromptLength))
    }
    return [beginID] + prompt.suffix(maxPromptLength - 1)
  }

  private func forgetReference(_ answer: inout TrainingAnswer) {
    answer.refLogp = nil
    answer.tokenRefLogps = []
  }
}
