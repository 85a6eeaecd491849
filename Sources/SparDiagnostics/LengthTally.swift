import Foundation

/// Whether length wins, and how answers end.
struct LengthTally {
  private var scoreSquares = 0.0
  private var lengthSquares = 0.0
  private var products = 0.0
  private(set) var longerWins = Mean()
  private(set) var truncated = Mean()
  private(set) var refusals = Mean()

  mutating func add(_ row: RankedPrompt) {
    guard let answers = row.answers, !answers.isEmpty else { return }
    let (k, match) = (row.tournament.k, row.tournament)
    let meanScore = row.scores.reduce(0, +) / Double(k)
    let meanLength = Double(answers.reduce(0) { $0 + $1.tokens }) / Double(k)
    for (score, answer) in zip(row.scores, answers) {
      // Differences from the prompt's mean: a prompt that asks for long answers is no bias.
      let (s, t) = (score - meanScore, Double(answer.tokens) - meanLength)
      scoreSquares += s * s
      lengthSquares += t * t
      products += s * t
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

  /// nil where scores or lengths never vary within a prompt.
  var correlation: Double? {
    let spread = (scoreSquares * lengthSquares).squareRoot()
    return spread > 0 && spread.isFinite ? products / spread : nil
  }
}
