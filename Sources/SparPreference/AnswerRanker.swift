import SparHost

/// Which ranker made a table: what must be equal for its numbers to be.
public struct RankerIdentity: Equatable, Sendable, Codable, CustomStringConvertible {
  /// The plugin component's id: "likelihood".
  public var id: String
  public var version: String
  /// Options that were given, and whatever else names the ranker, such as a digest of its weights.
  public var options: [String: String]

  public init(id: String, version: String, options: [String: String] = [:]) {
    self.id = id
    self.version = version
    self.options = options
  }

  /// "scale=0.1 model=smollm2-135m", in alphabetical order of names.
  public var optionText: String {
    options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }

  public var description: String {
    options.isEmpty ? "\(id) \(version)" : "\(id) \(version) (\(optionText))"
  }
}

/// What a ranker says about the K answers of one query; tables are K×K, row-major.
public struct AnswerTable: Equatable, Sendable {
  /// Raw scores M or probabilities P, as the ranker's `givesRawScores` says.
  public var values: [Double]
  /// Pairs that could not be compared: M is 0, P is ½.  Empty = none.
  public var failed: [Bool]
  /// [K] answers that the ranker has not read to the end.  Empty = none.
  public var truncated: [Bool]
  /// The raw scores of each ranker of a mix, in its order.
  public var components: [[Double]]

  public init(
    _ values: [Double], failed: [Bool] = [], truncated: [Bool] = [], components: [[Double]] = []
  ) {
    self.values = values
    self.failed = failed.contains(true) ? failed : []
    self.truncated = truncated.contains(true) ? truncated : []
    self.components = components
  }

  /// Win probabilities of K answers.  Where the values are probabilities, `rule` has no say.
  public func wins(
    k: Int, rule: ProbabilityRule, givesRawScores: Bool
  ) throws(WinTableError) -> WinTable {
    guard givesRawScores else { return try WinTable(probability: values, k: k, failed: failed) }
    return try WinTable(raw: values, k: k, rule: rule, failed: failed)
  }
}

/// A ranker as the stages use it: queries in, native tables out.
public struct AnswerRanker {
  public var identity: RankerIdentity
  /// Whether tables hold raw scores M, from which a `ProbabilityRule` makes probabilities, or
  /// probabilities P of the ranker's own.
  public var givesRawScores: Bool
  /// Whether a prompt costs so much that each is asked for alone and kept at once.
  public var isCostly: Bool
  /// The rankers of a mix and their weights; empty for a single ranker.
  public var mixture: [(name: String, weight: Double)] = []
  /// A table for each query.  Law: what it says about a query does not depend on the other queries
  /// of the call.
  public var compare: ([RankQuery]) throws -> [AnswerTable]

  public init(
    identity: RankerIdentity, givesRawScores: Bool, isCostly: Bool,
    tables: @escaping ([RankQuery]) throws -> [AnswerTable]
  ) {
    self.identity = identity
    self.givesRawScores = givesRawScores
    self.isCostly = isCostly
    compare = tables
  }

  /// A ranker that never fails and reads everything.
  public init(
    identity: RankerIdentity, givesRawScores: Bool,
    compare: @escaping ([RankQuery]) throws -> [[Double]]
  ) {
    self.init(
      identity: identity, givesRawScores: givesRawScores, isCostly: false,
      tables: { try compare($0).map { AnswerTable($0) } })
  }

  /// A ranker plugin; `options` are those it was made with, for the record.
  public init(_ ranker: Ranker, options: [String: String]) {
    let component = ranker.component
    let isRaw = ranker.flags.contains(.nativeRaw)
    self.init(
      identity: RankerIdentity(
        id: component.id, version: component.library.version, options: options),
      givesRawScores: isRaw, isCostly: ranker.flags.contains(.costly),
      tables: { queries in
        try ranker.rank(queries).map {
          AnswerTable(isRaw ? $0.raw : $0.pairwise, failed: $0.failed, truncated: $0.truncated)
        }
      })
  }
}
