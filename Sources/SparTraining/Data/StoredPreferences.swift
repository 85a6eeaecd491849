import SparStore

/// Groups from preferences.h5 and the candidates.h5 that it ranks.
public struct StoredPreferences {
  public let preferencesPath: String
  public let candidatesPath: String
  private let preferences: PreferenceTable
  private let candidates: CandidateTable
  /// Of the model that sampled the answers, where the file says so.
  public let samplerDigest: String?
  public let tokenizerDigest: String?

  /// Reads both files and checks that one is made from the other.
  public init(preferences: String, candidates: String) throws {
    preferencesPath = preferences
    candidatesPath = candidates
    let (ranked, rankedAttributes) = try PreferencesFile.read(preferences)
    let (sampled, sampledAttributes) = try CandidatesFile.read(candidates)
    self.preferences = ranked
    self.candidates = sampled
    samplerDigest = sampledAttributes["model_digest"]?.text
    tokenizerDigest = sampledAttributes["tokenizer_digest"]?.text
    func disagree(_ problem: String) -> TrainingError {
      .filesDisagree(preferences: preferences, candidates: candidates, problem: problem)
    }
    if let expected = rankedAttributes["candidates_digest"]?.text {
      let found = try fileDigest(candidates)
      if found != expected { throw disagree("its digest is \(found), ranked was \(expected)") }
    }
    if ranked.K != sampled.K { throw disagree("K is \(ranked.K) and \(sampled.K)") }
    if ranked.count != sampled.rows.count {
      throw disagree("they have \(ranked.count) and \(sampled.rows.count) prompts")
    }
    for (row, group) in sampled.rows.enumerated()
    where group.promptID != ranked.promptID[row] || group.promptIndex != ranked.promptIndex[row] {
      throw disagree("prompt \(row) is \(ranked.promptID[row]) and \(group.promptID)")
    }
  }

  /// The kept rows as training groups.
  ///
  /// - Parameter modelDigest: of the reference policy: where it is the sampler's own and
  ///   `referenceFromGeneration` is set, the sampled log-probabilities serve as the reference's.
  public func groups(
    _ options: TrainingOptions, modelDigest: String, beginID: Int32? = nil
  ) throws -> [TrainingGroup] {
    let truncation = SequenceTruncation(options, beginID: beginID)
    let hasReference = options.referenceFromGeneration && samplerDigest == modelDigest
    var groups: [TrainingGroup] = []
    for row in 0..<preferences.count where preferences.status[row] == .kept {
      let (chosen, rejected) = (preferences.chosen[row], preferences.rejected[row])
      let members =
        options.trainsAllAnswers
        ? Array(0..<preferences.K) : [chosen, rejected]
      var group = TrainingGroup(
        promptIDs: candidates.rows[row].promptIDs,
        answers: members.map { answer(row, $0, withReference: hasReference) },
        pairwise: block(preferences.winProbability, row, members),
        score: block(preferences.logOdds, row, members))
      group.row = row
      group.columns["score"] = members.map { preferences.score[row * preferences.K + $0] }
      // A prompt's empty answers teach nothing, and have no token to score.
      guard !group.answers.contains(where: \.ids.isEmpty) else {
        throw TrainingError.row(
          path: candidatesPath, row: row, problem: "an answer to train on has no token")
      }
      if let problem = truncation.apply(to: &group) {
        throw TrainingError.row(path: candidatesPath, row: row, problem: problem)
      }
      groups.append(group)
    }
    if groups.isEmpty { throw TrainingError.noPairs(path: preferencesPath) }
    return groups
  }

  private func answer(_ row: Int, _ index: Int, withReference: Bool) -> TrainingAnswer {
    let cell = row * preferences.K + index
    let sampled = candidates.rows[row].answers[index]
    var answer = TrainingAnswer(
      ids: sampled.ids, refLogp: withReference ? sampled.sumLogp : nil,
      winProb: preferences.rowMean[cell], meanScore: preferences.meanScore[cell],
      label: index == preferences.chosen[row] ? 1 : index == preferences.rejected[row] ? -1 : 0)
    if withReference { answer.tokenRefLogps = sampled.logps }
    return answer
  }

  /// The m x m part of a [n, K, K] table.
  private func block(_ table: [Double], _ row: Int, _ members: [Int]) -> [Double] {
    let width = preferences.K
    return members.flatMap { i in members.map { table[(row * width + i) * width + $0] } }
  }
}

extension AttributeValue {
  fileprivate var text: String? {
    if case .string(let value) = self { return value }
    return nil
  }
}
