import SparPreference
import SparTensor
import Testing

@Suite("Pair selection") struct PairSelectionTests {
  func answers(_ texts: String..., ended: Bool = true) -> [PairSelection.Answer] {
    texts.map { .init(text: $0, ids: $0.unicodeScalars.map { Int32($0.value) }, ended: ended) }
  }

  @Test("the best against the worst") func extremes() {
    let choice = PairSelection().choose(scores: [0.1, 2, -3], answers: answers("a", "b", "c"))
    #expect(choice.status == .kept && choice.chosen == 1 && choice.rejected == 2)
    #expect(choice.emptyAnswers + choice.duplicateAnswers + choice.truncatedAnswers == 0)
  }

  @Test("of equal scores the first counts") func firstWins() {
    let choice = PairSelection().choose(
      scores: [1, 2, 2, 1], answers: answers("a", "b", "c", "d"))
    #expect(choice.chosen == 1 && choice.rejected == 0)
  }

  @Test("equal scores give no pair; a margin widens what counts as equal") func ties() {
    let texts = answers("a", "b")
    #expect(PairSelection().choose(scores: [1, 1], answers: texts).status == .tie)
    #expect(PairSelection().choose(scores: [1, 1.5], answers: texts).status == .kept)
    let wide = PairSelection(minMargin: 0.5)
    #expect(wide.choose(scores: [1, 1.5], answers: texts).status == .tie)
    #expect(wide.choose(scores: [1, 1.501], answers: texts).status == .kept)
  }

  @Test("empty answers are neither chosen nor rejected") func empty() {
    let choice = PairSelection().choose(
      scores: [9, 1, 2, -9], answers: answers(" \n\t", "b", "c", ""))
    #expect(choice.chosen == 2 && choice.rejected == 1 && choice.emptyAnswers == 2)
    let none = PairSelection().choose(scores: [1, 2], answers: answers("", "b"))
    #expect(none.status == .empty && none.chosen == nil)
  }

  @Test("equal texts count once, and do not make a pair of their own") func duplicates() {
    let choice = PairSelection().choose(scores: [3, 3, 1], answers: answers("a", "a", "b"))
    #expect(choice.chosen == 0 && choice.rejected == 2 && choice.duplicateAnswers == 1)
    let same = PairSelection().choose(scores: [3, 1, 2], answers: answers("a", "a", "a"))
    #expect(same.status == .duplicate && same.duplicateAnswers == 2)
  }

  @Test("equal ids count once, whatever the text says") func sameIDs() {
    let both = [
      PairSelection.Answer(text: "a", ids: [5], ended: true),
      PairSelection.Answer(text: "b", ids: [5], ended: true),
    ]
    #expect(PairSelection().choose(scores: [1, 2], answers: both).status == .duplicate)
  }

  @Test("cut-off answers are set aside on request only") func truncated() {
    let texts = answers("a", "b") + answers("c", ended: false)
    let scores = [1.0, 2, 3]
    #expect(PairSelection().choose(scores: scores, answers: texts).chosen == 2)
    let strict = PairSelection(dropTruncated: true)
    let choice = strict.choose(scores: scores, answers: texts)
    #expect(choice.chosen == 1 && choice.rejected == 0 && choice.truncatedAnswers == 1)
    #expect(
      strict.choose(scores: [1, 2], answers: answers("a", "b", ended: false)).status == .overlong)
  }

  @Test("reordering the answers reorders the choice", arguments: 0..<50 as Range<UInt64>)
  func equivariance(seed: UInt64) {
    var random = Random(seed: seed, stage: .shuffle)
    let k = 2 + Int(seed % 6)
    // Distinct scores: with ties the first index counts, which depends on the order.
    let scores = random.permutation(k).map(Double.init)
    let texts = (0..<k).map { index in
      let text = random.uniform() < 0.2 ? "" : "answer \(index)"
      return PairSelection.Answer(text: text, ids: [Int32(index)], ended: random.uniform() < 0.7)
    }
    let selection = PairSelection(dropTruncated: seed % 2 == 0)
    let plain = selection.choose(scores: scores, answers: texts)
    let order = random.permutation(k)
    let moved = selection.choose(
      scores: order.map { scores[$0] }, answers: order.map { texts[$0] })
    #expect(moved.status == plain.status, "seed \(seed)")
    #expect(moved.chosen.map { order[$0] } == plain.chosen, "seed \(seed)")
    #expect(moved.rejected.map { order[$0] } == plain.rejected, "seed \(seed)")
    #expect(moved.emptyAnswers == plain.emptyAnswers)
  }
}

extension PairSelection {
  /// The choice by the scores that a table without circles gives: S_i = s_i less their mean.
  fileprivate func choose(scores: [Double], answers: [Answer]) -> Choice {
    let k = scores.count
    let raw = (0..<k * k).map { (scores[$0 / k] - scores[$0 % k]) / 2 }
    do {
      return choose(try WinTable(raw: raw, k: k, rule: .meanOfOrders), answers: answers)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
