/// How far two rankers say the same about the same answers.
public struct RankerAgreement: Equatable, Sendable, Codable {
  /// Prompts that both have.
  public var prompts = 0
  /// Pairs without a tie on either side, and those with the same winner.
  public var pairs = 0
  public var samePairs = 0
  /// Prompts with the same best, the same worst answer by S.
  public var sameBest = 0
  public var sameWorst = 0

  /// Share of pairs with the same winner; chance is ½.
  public var pairAgreement: Double? { pairs == 0 ? nil : Double(samePairs) / Double(pairs) }

  /// Compares prompts of equal id and equal K, in the order of `first`.
  public init(_ first: [RankedPrompt], _ second: [RankedPrompt]) {
    let others = Dictionary(second.map { ($0.id, $0) }) { earlier, _ in earlier }
    for row in first {
      guard let other = others[row.id], other.tournament.k == row.tournament.k else { continue }
      prompts += 1
      let (k, ours, theirs) = (row.tournament.k, row.tournament, other.tournament)
      for i in 0..<k {
        for j in (i + 1)..<max(k, i + 1) {
          let sides = [ours, theirs].map { $0.beats(i, j) ? 1 : $0.beats(j, i) ? -1 : 0 }
          guard !sides.contains(0) else { continue }
          pairs += 1
          samePairs += sides[0] == sides[1] ? 1 : 0
        }
      }
      sameBest += row.scores.firstMaximum == other.scores.firstMaximum ? 1 : 0
      sameWorst +=
        row.scores.map(-).firstMaximum == other.scores.map(-).firstMaximum ? 1 : 0
    }
  }
}
