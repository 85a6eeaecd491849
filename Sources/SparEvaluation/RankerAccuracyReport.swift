import Foundation
import SparDiagnostics
import SparPreference
import SparStore

/// How a ranker does on labelled comparisons: the one description for `spar evaluate-ranker`,
/// `spar train-ranker --test` and a run's own ranker (accuracy.json).
public struct RankerAccuracyReport: Codable, Equatable, Sendable {
  public var ranker: String
  /// Which made probabilities of raw scores; nil where the ranker gives probabilities itself.
  public var probabilityRule: ProbabilityRule?
  public var comparisons: Int
  public var failed: Int
  public var accuracy: RankerAccuracy.Share
  public var longerWins: RankerAccuracy.Share
  /// See `RankerAccuracy.prefersLonger`.
  public var prefersLonger: Double?
  public var strata: [RankerAccuracy.StratumShare] = []
  /// Accuracy with the chosen answer shown first, and second, and the share of equal verdicts; nil
  /// where every comparison failed.
  public var chosenFirst: Double?
  public var chosenSecond: Double?
  public var consistency: Double?
  /// By subset, in order of first appearance.
  public var kinds: [RankerAccuracy.Kind]
  /// The same subsets by RewardBench's arithmetic, and its sections.
  public var subsets: [RewardBench.Score] = []
  public var sections: [RewardBench.Score] = []
  public var overall: Double?
  /// Nil where every comparison failed.
  public var calibration: Calibration?

  /// - Parameters:
  ///   - native: the ranker's table of each row, chosen first; one failed leaves the row out of the
  ///     calibration.
  ///   - rule: makes probabilities of raw scores.
  /// - Precondition: there are rows, each with a table.
  public init(
    _ rows: [LabelledComparison], native: [AnswerTable], givesRawScores: Bool,
    rule: ProbabilityRule, ranker: String, bootstrap: Bootstrap = Bootstrap()
  ) throws(WinTableError) {
    precondition(!rows.isEmpty, "an accuracy of some rows")
    let found = RankerAccuracy(rows, native: native, givesRawScores: givesRawScores)
    self.ranker = ranker
    probabilityRule = givesRawScores ? rule : nil
    comparisons = rows.count
    failed = found.failed
    accuracy = found.accuracy(bootstrap)
    longerWins = found.longerWins(bootstrap)
    prefersLonger = found.prefersLonger
    strata = found.strata(bootstrap)
    chosenFirst = found.orders?.first
    chosenSecond = found.orders?.second
    consistency = found.orders?.consistency
    kinds = found.kinds(bootstrap)
    subsets = found.bench.subsets
    sections = found.bench.sectionScores
    overall = found.bench.overall
    var believed: [CalibrationRow] = []
    for place in rows.indices where !native[place].failed.contains(true) {
      let wins = try native[place].wins(k: 2, rule: rule, givesRawScores: givesRawScores)
      believed.append(
        CalibrationRow(
          0, over: 1, k: 2, probability: wins.probability, logOdds: wins.logOdds,
          label: rows[place].probability, prompt: found.prompts[place]))
    }
    calibration = Calibration(believed, failed: failed, bootstrap: bootstrap)
  }

  /// Reports of versions that knew fewer figures are read, too.
  public init(from decoder: any Decoder) throws {
    let keyed = try decoder.container(keyedBy: CodingKeys.self)
    ranker = try keyed.decode(String.self, forKey: .ranker)
    probabilityRule = try keyed.decodeIfPresent(ProbabilityRule.self, forKey: .probabilityRule)
    comparisons = try keyed.decode(Int.self, forKey: .comparisons)
    failed = try keyed.decode(Int.self, forKey: .failed)
    accuracy = try keyed.decode(RankerAccuracy.Share.self, forKey: .accuracy)
    longerWins = try keyed.decode(RankerAccuracy.Share.self, forKey: .longerWins)
    prefersLonger = try keyed.decodeIfPresent(Double.self, forKey: .prefersLonger)
    strata = try keyed.decodeIfPresent([RankerAccuracy.StratumShare].self, forKey: .strata) ?? []
    chosenFirst = try keyed.decodeIfPresent(Double.self, forKey: .chosenFirst)
    chosenSecond = try keyed.decodeIfPresent(Double.self, forKey: .chosenSecond)
    consistency = try keyed.decodeIfPresent(Double.self, forKey: .consistency)
    kinds = try keyed.decode([RankerAccuracy.Kind].self, forKey: .kinds)
    subsets = try keyed.decodeIfPresent([RewardBench.Score].self, forKey: .subsets) ?? []
    sections = try keyed.decodeIfPresent([RewardBench.Score].self, forKey: .sections) ?? []
    overall = try keyed.decodeIfPresent(Double.self, forKey: .overall)
    calibration = try keyed.decodeIfPresent(Calibration.self, forKey: .calibration)
  }

  public static func read(_ path: String) throws -> RankerAccuracyReport {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Keys in alphabetical order and in snake_case.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try AtomicFile.writeBytes(to: path, doing: "writing the ranker's accuracy") {
      try $0.write(text)
    }
  }
}
