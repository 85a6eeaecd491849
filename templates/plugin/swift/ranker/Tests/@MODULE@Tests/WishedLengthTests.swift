import Testing

@testable import @MODULE@Core

@Suite struct WishedLengthTests {
  private func score(_ bytes: [UInt8]) -> Double {
    bytes.withUnsafeBytes { WishedLength(target: 3, scale: 2).score($0) }
  }

  @Test("answers are scored by their distance from the wished length")
  func scores() {
    #expect(score(Array("one two three".utf8)) == 0)
    #expect(score([]) == -3)
    #expect(score(Array(" one\ttwo\n".utf8)) == -1)
    #expect(score(Array("a b c d e f ".utf8) + [0xFF, 0x20, 0x67]) == -5)
  }

  @Test("probabilities of both orders sum to 1", arguments: [-800, -3, 0, 0.5, 40, 800])
  func complement(score: Double) {
    let ranker = WishedLength(target: 3, scale: 2)
    let there = WishedLength.probability(ranker.raw(score, 0))
    let back = WishedLength.probability(ranker.raw(0, score))
    #expect(abs(there + back - 1) < 1e-12)
    #expect((there > 0.5) == (score > 0))
  }
}
