/// What became of a prompt when its pair was chosen.
public enum PreferenceStatus: Int8, Sendable, CaseIterable {
  /// A pair was chosen.
  case kept = 0
  /// Best and worst score the same.
  case tie = 1
  /// Best and worst are the same text.
  case duplicate = 2
  /// An answer of the pair is empty.
  case empty = 3
  /// The pair is longer than training admits.
  case overlong = 4
  /// The ranker could not score the group.
  case failed = 5
}

/// The preferences of n prompts among K answers each. Arrays are row-major; [n, K, K] entry
/// (r, i, j) speaks of answer i against answer j of prompt r.
public struct PreferenceTable: Sendable, Equatable {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public var K: Int
  /// [n] row in the prompt file.
  public var promptIndex: [Int]
  /// [n]
  public var promptID: [String]
  /// [n, K, K] M, as the ranker gave it.
  public var raw: [Double]
  /// [n, K, K] P, probability that i beats j; P(i, j) + P(j, i) = 1.
  public var winProbability: [Double]
  /// [n, K, K] W, log-odds of P.
  public var logOdds: [Double]
  /// [n, K] mean over j of P.
  public var rowMean: [Double]
  /// [n, K] mean over j of W.
  public var meanScore: [Double]
  /// [n, K] S, the score that orders the answers.
  public var score: [Double]
  /// [n] answer index, -1 where there is no pair.
  public var chosen: [Int]
  /// [n] answer index, -1 where there is no pair.
  public var rejected: [Int]
  /// [n]
  public var status: [PreferenceStatus]
  /// [n, K, K] 1 = the pair could not be compared, in both orders; empty = every pair was.
  public var failed: [UInt8] = []
  /// [n, K] 1 = the ranker has not read all of the answer; empty = it has read all.
  public var truncated: [UInt8] = []
  /// A mix's rankers, and [n, C, K, K] the raw scores of each; empty for a single ranker.
  public var components: [Component] = []
  public var componentRaw: [Double] = []

  /// A ranker of a mix.
  public struct Component: Sendable, Equatable {
    public var name: String
    public var weight: Double

    public init(name: String, weight: Double) {
      self.name = name
      self.weight = weight
    }
  }

  /// [K, K] of one prompt, or empty.
  public func failedPairs(of row: Int) -> [Bool] {
    failed.isEmpty ? [] : failed[(row * K * K)..<((row + 1) * K * K)].map { $0 != 0 }
  }

  /// n
  public var count: Int { promptIndex.count }

  public init(
    K: Int, promptIndex: [Int], promptID: [String], raw: [Double], winProbability: [Double],
    logOdds: [Double], rowMean: [Double], meanScore: [Double], score: [Double], chosen: [Int],
    rejected: [Int], status: [PreferenceStatus]
  ) {
    self.K = K
    self.promptIndex = promptIndex
    self.promptID = promptID
    self.raw = raw
    self.winProbability = winProbability
    self.logOdds = logOdds
    self.rowMean = rowMean
    self.meanScore = meanScore
    self.score = score
    self.chosen = chosen
    self.rejected = rejected
    self.status = status
  }
}
