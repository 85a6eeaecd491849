/// What a group of K ranked answers is trained on.
public enum Pairing: String, Codable, Sendable, CaseIterable {
  /// The best and the worst answer.
  case bestWorst = "best-worst"
  /// Every two answers whose scores differ by more than the ranking's margin.
  case allPairs = "all-pairs"
  /// Each answer by itself, towards what its own win rate or score asks of it.
  case allAnswers = "all-answers"
}

/// What the objective is asked about one group.
public enum TrainingTerms: Equatable, Sendable {
  /// The answers as they are labelled.
  case labels
  /// One pair after the other, each with the group's numbers of its two answers.
  case pairs([TrainingPair])
  /// All answers without a label; for objectives that learn from single answers.
  case answers

  /// What the step's mean counts.
  var count: Int {
    if case .pairs(let pairs) = self { pairs.count } else { 1 }
  }
}

/// Two answers of a group by their index.
public struct TrainingPair: Equatable, Sendable {
  public var chosen: Int
  public var rejected: Int

  public init(chosen: Int, rejected: Int) {
    self.chosen = chosen
    self.rejected = rejected
  }
}

extension TrainingGroup {
  /// Rows that the objective sees as one group, with their labels.
  var questions: [(rows: [Int], labels: [Int8])] {
    switch terms {
    case .labels: [(Array(answers.indices), answers.map(\.label))]
    case .pairs(let pairs): pairs.map { ([$0.chosen, $0.rejected], [1, -1]) }
    case .answers: [(Array(answers.indices), answers.map { _ in 0 })]
    }
  }

  /// Chosen and rejected answers, as people are told about them.
  var comparisons: [(chosen: [Int], rejected: [Int])] {
    if case .pairs(let pairs) = terms { return pairs.map { ([$0.chosen], [$0.rejected]) } }
    let all = answers.indices
    return [(all.filter { answers[$0].label > 0 }, all.filter { answers[$0].label < 0 })]
  }
}
