import SparStore

/// A table that is filled prompt by prompt.
extension PreferenceTable {
  package init(K: Int) {
    self.init(
      K: K, promptIndex: [], promptID: [], raw: [], winProbability: [], logOdds: [], rowMean: [],
      meanScore: [], score: [], chosen: [], rejected: [], status: [])
  }

  package mutating func append(
    _ group: CandidateGroup, _ wins: WinTable, _ choice: PairSelection.Choice, raw: [Double]
  ) {
    promptIndex.append(group.promptIndex)
    promptID.append(group.promptID)
    self.raw += raw
    winProbability += wins.probability
    logOdds += wins.logOdds
    rowMean += wins.winRates
    meanScore += wins.meanScores
    score += wins.scores
    chosen.append(choice.chosen ?? -1)
    rejected.append(choice.rejected ?? -1)
    status.append(choice.status)
  }
}
