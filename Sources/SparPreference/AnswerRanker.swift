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

/// A ranker as the stages use it: queries in, native tables out.
public struct AnswerRanker {
  public var identity: RankerIdentity
  /// Whether tables hold raw scores M, from which a `ProbabilityRule` makes probabilities, or
  /// probabilities P of the ranker's own.
  public var givesRawScores: Bool
  /// A K×K row-major table for each query.  Law: what it says about a query does not depend on the
  /// other queries of the call.
  public var compare: ([RankQuery]) throws -> [[Double]]

  public init(
    identity: RankerIdentity, givesRawScores: Bool,
    compare: @escaping ([RankQuery]) throws -> [[Double]]
  ) {
    self.identity = identity
    self.givesRawScores = givesRawScores
    self.compare = compare
  }

  /// A ranker plugin; `options` are those it was made with, for the record.
  public init(_ ranker: Ranker, options: [String: String]) {
    let component = ranker.component
    let isRaw = ranker.flags.contains(.nativeRaw)
    self.init(
      identity: RankerIdentity(
        id: component.id, version: component.library.version, options: options),
      givesRawScores: isRaw,
      compare: { try ranker.rank($0).map { isRaw ? $0.raw : $0.pairwise } })
  }

  /// The table of one native result; `rule` has no say over native probabilities.
  func table(_ native: [Double], k: Int, rule: ProbabilityRule) throws(WinTableError) -> WinTable {
    givesRawScores
      ? try WinTable(raw: native, k: k, rule: rule) : try WinTable(probability: native, k: k)
  }
}
