import SparPreference
import SparRanking
import SparStore

/// Another rule for stored scores: new probabilities and pairs without asking the ranker again.
public struct PairDerivation: Equatable, Sendable {
  public var rule: ProbabilityRule
  public var selection: PairSelection

  public init(rule: ProbabilityRule, selection: PairSelection) {
    self.rule = rule
    self.selection = selection
  }

  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    case otherCandidates(preferences: String, candidates: String)
    /// Their prompts and K may agree: answers of another iteration, or generated anew.
    case otherAnswers(preferences: String, candidates: String)
    /// Of a ranking whose pairs were not kept.
    case scoresOnly(String)

    public var description: String {
      switch self {
      case .otherCandidates(let preferences, let candidates):
        "\(preferences) does not rank \(candidates): their prompts or K differ; "
          + "give the file that was ranked with --candidates"
      case .otherAnswers(let preferences, let candidates):
        "\(preferences) ranks other answers than those in \(candidates), which is not the file that "
          + "was ranked; give that file with --candidates, or rank again"
      case .scoresOnly(let path):
        "\(path) holds the scores of answers and not their tables, which know the rule "
          + "upstream-score only; give --probability_rule upstream-score, or rank again"
      }
    }
  }

  /// What `ranker_gives` says of a ranking of which the scores S alone were kept.
  static let scoresOnly = "aggregated scores"

  /// A ranking and the answers that it is of.
  ///
  /// - Throws: `Failure` where `candidates` is not the file that was ranked, by its digest, its
  ///   prompts and its K.
  public static func read(
    preferences: String, candidates path: String
  ) throws -> (
    table: PreferenceTable, attributes: [String: AttributeValue], groups: [CandidateGroup]
  ) {
    let (table, attributes) = try PreferencesFile.read(preferences)
    let candidates = try CandidatesFile.read(path).table
    guard candidates.K == table.K, candidates.rows.map(\.promptIndex) == table.promptIndex else {
      throw Failure.otherCandidates(preferences: preferences, candidates: path)
    }
    if let ranked = attributes.text("candidates_digest"), try fileDigest(path) != ranked {
      throw Failure.otherAnswers(preferences: preferences, candidates: path)
    }
    return (table, attributes, candidates.rows)
  }

  /// Reads `preferences` and the candidates that it ranks, and writes `output`.  A ranker that
  /// gave probabilities keeps them, whatever the rule.
  ///
  /// Returns the number of prompts by what became of them.
  @discardableResult
  public func run(
    preferences path: String, candidates candidatesPath: String, output: String
  ) throws -> [PreferenceStatus: Int] {
    var (table, attributes, groups) = try Self.read(preferences: path, candidates: candidatesPath)
    let given = attributes.text("ranker_gives")
    if given == Self.scoresOnly, rule != .upstreamScore { throw Failure.scoresOnly(path) }
    let cells = table.K * table.K
    for (row, group) in groups.enumerated() {
      let at = (row * cells)..<((row + 1) * cells)
      let failed = table.failedPairs(of: row)
      let means = (row * table.K)..<((row + 1) * table.K)
      let wins: WinTable
      switch given {
      case "probabilities":
        wins = try WinTable(
          probability: Array(table.winProbability[at]), k: table.K, failed: failed)
      case Self.scoresOnly: wins = try WinTable(scores: Array(table.score[means]))
      default:
        wins = try WinTable(raw: Array(table.raw[at]), k: table.K, rule: rule, failed: failed)
      }
      let choice = selection.choose(
        wins, answers: group.selectable, prompt: group.promptIndex)
      table.winProbability.replaceSubrange(at, with: wins.probability)
      table.logOdds.replaceSubrange(at, with: wins.logOdds)
      table.rowMean.replaceSubrange(means, with: wins.winRates)
      table.meanScore.replaceSubrange(means, with: wins.meanScores)
      table.score.replaceSubrange(means, with: wins.scores)
      table.chosen[row] = choice.chosen ?? -1
      table.rejected[row] = choice.rejected ?? -1
      table.status[row] = choice.status
    }
    attributes["probability_rule"] = .string(rule.rawValue)
    attributes["min_margin"] = .double(selection.minMargin)
    attributes["drop_truncated"] = .int(selection.dropTruncated ? 1 : 0)
    attributes["pair_rule"] = .string(selection.rule.rawValue)
    attributes["pair_seed"] = .unsigned(selection.seed)
    attributes["derived_from"] = .string(path)
    try PreferencesFile.write(to: output, table, attributes: attributes)
    return Dictionary(table.status.map { ($0, 1) }, uniquingKeysWith: +)
  }
}
