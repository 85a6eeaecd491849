import SparModel

/// Summed log-probabilities of answers after their prompts, in packed passes.
///
/// A prompt's rows are computed once for all of its answers that are in the same pass.
public struct AnswerScoring: Sendable {
  /// One prompt and answers to it, as ids; answers carry their end token.
  public struct Group: Equatable, Sendable {
    public var prompt: [Int32]
    public var answers: [[Int32]]

    public init(prompt: [Int32], answers: [[Int32]]) {
      self.prompt = prompt
      self.answers = answers
    }
  }

  /// Rows of one pass; a single answer that needs more is a pass of its own.
  public var rowsPerPass: Int

  public init(rowsPerPass: Int = 2048) {
    precondition(rowsPerPass > 0, "a pass has at least one row")
    self.rowsPerPass = rowsPerPass
  }

  /// A part of a group's answers; parts of one pass share nothing but the call.
  struct Part: Equatable {
    var group: Int
    var answers: Range<Int>
  }

  /// Cuts the work into passes, in order; a group that does not fit goes on in the next pass,
  /// where its prompt is computed again.
  func passes(_ groups: [Group]) -> [[Part]] {
    var passes: [[Part]] = []
    var pass: [Part] = []
    var rows = 0
    for (index, group) in groups.enumerated() {
      var first = 0
      var isOpen = false
      for (answer, ids) in group.answers.enumerated() {
        var needed = max(ids.count - 1, 0) + (isOpen ? 0 : group.prompt.count)
        if rows > 0, rows + needed > rowsPerPass {
          if isOpen { pass.append(Part(group: index, answers: first..<answer)) }
          passes.append(pass)
          pass = []
          rows = 0
          first = answer
          needed = max(ids.count - 1, 0) + group.prompt.count
        }
        isOpen = true
        rows += needed
      }
      if isOpen { pass.append(Part(group: index, answers: first..<group.answers.count)) }
    }
    if !pass.isEmpty { passes.append(pass) }
    return passes
  }

  /// log p(answer | prompt) in nats for every answer of every group.
  ///
  /// `between` runs after each pass with how many are done and how many there are; what it throws
  /// ends the work.
  public func sums(
    _ groups: [Group], under model: LanguageModel,
    between: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws -> [[Double]] {
    for group in groups {
      let tokens = group.prompt.count + (group.answers.map(\.count).max() ?? 0)
      guard tokens <= model.config.maxPositions else {
        throw ModelError(
          .promptTooLong(tokens: tokens, limit: model.config.maxPositions), path: model.path)
      }
    }
    var sums = groups.map { [Double](repeating: 0, count: $0.answers.count) }
    let passes = passes(groups)
    for (number, pass) in passes.enumerated() {
      var batch = ScoringBatch()
      for part in pass {
        let group = groups[part.group]
        batch.append(prompt: group.prompt, answers: Array(group.answers[part.answers]))
      }
      let logps = try model.logps(batch)
      var next = 0
      for part in pass {
        for answer in part.answers {
          // Added in double precision, in the order of the text: sums do not depend on the passes.
          sums[part.group][answer] = logps[batch.answers[next]].reduce(0.0) { $0 + Double($1) }
          next += 1
        }
      }
      try between(number + 1, passes.count)
    }
    return sums
  }
}
