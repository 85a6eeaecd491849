import SparData
import SparPreference
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
  /// The sampling policy as it was named then.
  public let samplerModel: String?
  /// How the prompts of the candidates became ids.
  public let samplerRendering: PromptRendering
  /// Which pairs the ranking admits.
  public let selection: PairSelection

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
    samplerModel = sampledAttributes["model"]?.text
    samplerRendering =
      sampledAttributes["render"]?.text.flatMap(PromptRendering.init(rawValue:)) ?? .exact
    var selection = PairSelection()
    if case .double(let margin)? = rankedAttributes["min_margin"] { selection.minMargin = margin }
    selection.dropTruncated = rankedAttributes["drop_truncated"] == .int(1)
    self.selection = selection
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
    if samplerRendering != options.rendering {
      throw TrainingError.rendering(
        path: candidatesPath, found: samplerRendering.rawValue, set: options.rendering.rawValue)
    }
    let truncation = SequenceTruncation(options, beginID: beginID)
    let hasReference = options.referenceFromGeneration && samplerDigest == modelDigest
    var groups: [TrainingGroup] = []
    for (row, members, terms) in trained(options.pairing) {
      var group = TrainingGroup(
        promptIDs: candidates.rows[row].promptIDs,
        answers: members.map { answer(row, $0, withReference: hasReference) },
        pairwise: block(preferences.winProbability, row, members),
        score: block(preferences.logOdds, row, members))
      group.row = row
      group.columns["score"] = members.map { preferences.score[row * preferences.K + $0] }
      group.terms = terms
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

  /// The texts behind `groups`, in the same order.
  public func texts(_ pairing: Pairing) -> [GroupTexts] {
    trained(pairing).map { row, members, _ in
      let group = candidates.rows[row]
      return GroupTexts(
        promptID: group.promptID, prompt: group.messages.last?.content ?? "",
        answers: members.map { group.answers[$0].text })
    }
  }

  /// What people read of a group.
  public struct GroupTexts: Equatable, Sendable {
    public var promptID: String
    /// The last turn before the answers.
    public var prompt: String
    public var answers: [String]
  }

  /// The prompts that are trained on.  One whose pair was chosen by another measure than the score,
  /// in a circle say, may have no two answers whose scores differ: all-pairs leaves it out.
  private func trained(
    _ pairing: Pairing
  ) -> [(row: Int, members: [Int], terms: TrainingTerms)] {
    (0..<preferences.count).filter { preferences.status[$0] == .kept }.compactMap { row in
      let (members, terms) = members(row, pairing)
      return members.isEmpty ? nil : (row, members, terms)
    }
  }

  /// Which answers of a prompt are trained on, and how.
  private func members(
    _ row: Int, _ pairing: Pairing
  ) -> (members: [Int], terms: TrainingTerms) {
    switch pairing {
    case .bestWorst: return ([preferences.chosen[row], preferences.rejected[row]], .labels)
    case .allAnswers: return (Array(0..<preferences.K), .answers)
    case .allPairs:
      let pairs = admittedPairs(row)
      let members = Set(pairs.flatMap { [$0.chosen, $0.rejected] }).sorted()
      let place = Dictionary(uniqueKeysWithValues: zip(members, members.indices))
      let terms = pairs.compactMap { pair in
        place[pair.chosen].flatMap { i in
          place[pair.rejected].map { TrainingPair(chosen: i, rejected: $0) }
        }
      }
      return (members, .pairs(terms))
    }
  }

  /// The pairs of one prompt whose scores differ by more than the ranking's margin.
  private func admittedPairs(_ row: Int) -> [(chosen: Int, rejected: Int)] {
    let scores = preferences.score[(row * preferences.K)..<((row + 1) * preferences.K)]
    let answers = candidates.rows[row].answers.map {
      PairSelection.Answer(text: $0.text, ids: Array($0.contentIDs), ended: $0.isEnded)
    }
    return selection.pairs(
      scores: Array(scores), answers: answers, failed: preferences.failedPairs(of: row))
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
