import SparDiagnostics
import SparHost
import SparPreference

/// Two answers to one conversation, of which somebody chose the first.
public struct LabelledComparison: Sendable {
  /// For errors, and in the results.
  public var name: String
  /// What accuracies are grouped by; "" = no group.
  public var subset: String
  public var messages: [(role: String, content: String)]
  public var chosen: String
  public var rejected: String
  /// That the chosen one is the better: 1, or less where the label is a probability itself.
  public var probability: Double

  public init(
    name: String, subset: String, messages: [(role: String, content: String)], chosen: String,
    rejected: String, probability: Double = 1
  ) {
    self.name = name
    self.subset = subset
    self.messages = messages
    self.chosen = chosen
    self.rejected = rejected
    self.probability = probability
  }

  public var query: RankQuery { RankQuery(messages: messages, responses: [chosen, rejected]) }

  var lengths: AnswerLengths {
    AnswerLengths(
      chosen: chosen.unicodeScalars.count, rejected: rejected.unicodeScalars.count)
  }
}

/// Code points of two answers.
struct AnswerLengths: Equatable, Sendable {
  var chosen: Int
  var rejected: Int

  /// 1 where the chosen answer is the longer one, 0 where it is the shorter one, else ½.
  var longerWins: Double { chosen > rejected ? 1 : chosen < rejected ? 0 : 0.5 }
}

/// Comparisons by what length would say about them; one may be in two.
public enum LengthStratum: String, Sendable, Codable, CaseIterable {
  /// The longer answer has at most 1.15 times the code points of the shorter one.
  case matched = "length-matched"
  case shorterChosen = "shorter one chosen"
  case longerChosen = "longer one chosen"

  func contains(_ lengths: AnswerLengths) -> Bool {
    let (a, b) = (lengths.chosen, lengths.rejected)
    switch self {
    // 1.15 in whole numbers, so that a pair on the edge is on one side on every machine.
    case .matched: return 100 * max(a, b) <= 115 * min(a, b)
    case .shorterChosen: return a < b
    case .longerChosen: return a > b
    }
  }
}

/// How often a ranker agrees with labels, what the order of the answers does to it, and what "the
/// longer answer wins" would have scored on the same rows.
///
/// Right is ½ (s(chosen, rejected) − s(rejected, chosen)) > 0; a tie is wrong, as in RewardBench; a
/// comparison that the ranker could not make counts ½ and is counted.  Intervals draw prompts, each
/// with all of its comparisons.
public struct RankerAccuracy: Equatable, Sendable {
  public struct Share: Equatable, Sendable, Codable {
    public var value: Double
    public var interval: ConfidenceInterval
  }

  /// 1 right, 0 wrong, ½ failed; one a row.
  public private(set) var results: [Double] = []
  /// The same for "longer wins".
  public private(set) var longer: [Double] = []
  public private(set) var failed = 0
  public private(set) var bench: RewardBench
  private var lengths: [AnswerLengths] = []
  /// Which prompt each row belongs to, by first appearance.
  private(set) var prompts: [Int] = []
  private var subsets: [String] = []
  private var forward: [Double] = []
  private var backward: [Double] = []
  private var consistent: [Double] = []

  /// - Parameter native: the ranker's table of each comparison, chosen first; scores, or
  ///   probabilities less than ½ of which are against.
  public init(_ rows: [LabelledComparison], native: [AnswerTable], givesRawScores: Bool) {
    precondition(rows.count == native.count, "one table for each comparison")
    var bySubset: [String: [Double]] = [:]
    var known: [[String]: Int] = [:]
    for (row, table) in zip(rows, native) {
      let zero = givesRawScores ? 0 : 0.5
      let (there, back) = (table.values[1] - zero, table.values[2] - zero)
      let isFailed = table.failed.contains(true)
      failed += isFailed ? 1 : 0
      results.append(isFailed ? 0.5 : there - back > 0 ? 1 : 0)
      lengths.append(row.lengths)
      subsets.append(row.subset)
      longer.append(row.lengths.longerWins)
      let prompt = row.messages.flatMap { [$0.role, $0.content] }
      prompts.append(known[prompt, default: known.count])
      known[prompt] = prompts[prompts.count - 1]
      bySubset[row.subset, default: []].append(results[results.count - 1])
      guard !isFailed else { continue }
      forward.append(there > 0 ? 1 : 0)
      backward.append(back < 0 ? 1 : 0)
      consistent.append((there > 0) == (back < 0) ? 1 : 0)
    }
    bench = RewardBench(bySubset.filter { !$0.key.isEmpty })
  }

  public func accuracy(_ bootstrap: Bootstrap = Bootstrap()) -> Share {
    share(results, bootstrap)
  }

  public func longerWins(_ bootstrap: Bootstrap = Bootstrap()) -> Share {
    share(longer, bootstrap)
  }

  /// Accuracy with the chosen answer first, with it second, and the share of equal verdicts; nil
  /// where every comparison failed.
  public var orders: (first: Double, second: Double, consistency: Double)? {
    guard !forward.isEmpty else { return nil }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    return (mean(forward), mean(backward), mean(consistent))
  }

  /// Accuracy on the rows of one stratum, beside what "longer wins" scores there.
  public struct StratumShare: Equatable, Sendable, Codable {
    public var stratum: LengthStratum
    public var count: Int
    public var accuracy: Share
    public var longerWins: Share
  }

  /// The strata that have rows.  A ranker that learnt length alone is at one half in the first.
  public func strata(_ bootstrap: Bootstrap = Bootstrap()) -> [StratumShare] {
    LengthStratum.allCases.compactMap { stratum in
      let rows = lengths.indices.filter { stratum.contains(lengths[$0]) }
      guard !rows.isEmpty else { return nil }
      return StratumShare(
        stratum: stratum, count: rows.count, accuracy: share(results, bootstrap, rows),
        longerWins: share(longer, bootstrap, rows))
    }
  }

  /// Comparisons of one subset, such as one kind of corruption.
  public struct Kind: Codable, Equatable, Sendable {
    public var name: String
    public var comparisons: Int
    public var accuracy: Share
    /// What "the longer answer wins" has right of the same comparisons.
    public var longerWins: Share
  }

  /// In order of first appearance; "" holds the comparisons without a subset.
  public func kinds(_ bootstrap: Bootstrap = Bootstrap()) -> [Kind] {
    var order: [String] = []
    var places: [String: [Int]] = [:]
    for (place, name) in subsets.enumerated() {
      if places[name] == nil { order.append(name) }
      places[name, default: []].append(place)
    }
    return order.map { name in
      let own = places[name] ?? []
      return Kind(
        name: name, comparisons: own.count, accuracy: share(results, bootstrap, own),
        longerWins: share(longer, bootstrap, own))
    }
  }

  /// Share of comparisons of answers of different length in which the ranker prefers the longer;
  /// nil where there are none.
  public var prefersLonger: Double? {
    // Right where the longer one is the better, or wrong where it is the worse.
    let told = zip(results, longer).filter { $0 != 0.5 && $1 != 0.5 }
    return told.isEmpty ? nil : Double(told.count { $0 == $1 }) / Double(told.count)
  }

  private func share(
    _ values: [Double], _ bootstrap: Bootstrap, _ rows: [Int]? = nil
  ) -> Share {
    let rows = rows ?? Array(values.indices)
    var places: [Int: Int] = [:]
    let clusters = rows.map { row in
      let place = places[prompts[row], default: places.count]
      places[prompts[row]] = place
      return place
    }
    let picked = rows.map { values[$0] }
    return Share(
      value: picked.reduce(0, +) / Double(max(picked.count, 1)),
      interval: bootstrap.interval(of: picked, prompts: clusters))
  }
}
