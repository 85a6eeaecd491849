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

  public init(
    name: String, subset: String, messages: [(role: String, content: String)], chosen: String,
    rejected: String
  ) {
    self.name = name
    self.subset = subset
    self.messages = messages
    self.chosen = chosen
    self.rejected = rejected
  }

  public var query: RankQuery { RankQuery(messages: messages, responses: [chosen, rejected]) }

  /// 1 where the chosen answer has more code points, 0 where it has fewer, ½ where as many.
  var longerWins: Double {
    let (a, b) = (chosen.unicodeScalars.count, rejected.unicodeScalars.count)
    return a > b ? 1 : a < b ? 0 : 0.5
  }
}

/// How often a ranker agrees with labels, what the order of the answers does to it, and what "the
/// longer answer wins" would have scored on the same rows.
///
/// Right is ½ (s(chosen, rejected) − s(rejected, chosen)) > 0; a tie is wrong, as in RewardBench; a
/// comparison that the ranker could not make counts ½ and is counted.
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
  private var forward: [Double] = []
  private var backward: [Double] = []
  private var consistent: [Double] = []

  /// - Parameter native: the ranker's table of each comparison, chosen first; scores, or
  ///   probabilities less than ½ of which are against.
  public init(_ rows: [LabelledComparison], native: [AnswerTable], givesRawScores: Bool) {
    precondition(rows.count == native.count, "one table for each comparison")
    var bySubset: [String: [Double]] = [:]
    for (row, table) in zip(rows, native) {
      let zero = givesRawScores ? 0 : 0.5
      let (there, back) = (table.values[1] - zero, table.values[2] - zero)
      let isFailed = table.failed.contains(true)
      failed += isFailed ? 1 : 0
      results.append(isFailed ? 0.5 : there - back > 0 ? 1 : 0)
      longer.append(row.longerWins)
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

  private func share(_ values: [Double], _ bootstrap: Bootstrap) -> Share {
    Share(
      value: values.reduce(0, +) / Double(max(values.count, 1)),
      interval: bootstrap.interval(of: values))
  }
}
