/// Whether length wins, and how answers end.
struct LengthTally {
  private(set) var correlation = LengthCorrelation()
  private(set) var longerWins = Mean()
  private(set) var truncated = Mean()
  private(set) var refusals = Mean()

  mutating func add(_ row: RankedPrompt) {
    guard let answers = row.answers, !answers.isEmpty else { return }
    let (k, match) = (row.tournament.k, row.tournament)
    correlation.add(scores: row.scores, lengths: answers.map { Double($0.tokens) })
    for answer in answers {
      truncated.add(answer.isEnded ? 0 : 1)
      refusals.add(answer.isRefusal ? 1 : 0)
    }
    for i in 0..<k {
      for j in (i + 1)..<max(k, i + 1) where answers[i].tokens != answers[j].tokens {
        let (longer, shorter) = answers[i].tokens > answers[j].tokens ? (i, j) : (j, i)
        if match.beats(longer, shorter) {
          longerWins.add(1)
        } else if match.beats(shorter, longer) {
          longerWins.add(0)
        }
      }
    }
  }
}
