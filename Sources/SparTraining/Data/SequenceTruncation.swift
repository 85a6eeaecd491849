import SparData

/// Cuts prompts and answers to length.
///
/// A group that fits is left alone.  Otherwise the prompt is cut to `maxPromptLength` if it is
/// longer, keeping its begin token, and then each answer to what is left of `maxLength`.
struct SequenceTruncation {
  let maxLength: Int
  let maxPromptLength: Int
  let mode: TrainingOptions.Truncation
  let beginID: Int32?
  let rendering: PromptRendering

  init(_ options: TrainingOptions, beginID: Int32?) {
    maxLength = options.maxLength
    maxPromptLength = options.maxPromptLength
    mode = options.truncation
    self.beginID = beginID
    rendering = options.rendering
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
    if rendering == .upstream {
      applyUpstream(to: &group)
      return nil
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

  private func applyUpstream(to group: inout TrainingGroup) {
    let before = (group.promptIDs, group.answers.map(\.ids))
    var answers = before.1
    UpstreamTruncation.apply(
      prompt: &group.promptIDs, answers: &answers, maxLength: maxLength,
      maxPromptLength: maxPromptLength, keepsEnd: mode == .keepEnd)
    for index in answers.indices {
      group.answers[index].ids = answers[index]
      if group.promptIDs != before.0 || answers[index] != before.1[index] {
        forgetReference(&group.answers[index])
      }
    }
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
