import CSparPlugin

/// Claims of a ranker about its results.
public struct RankerFlags: OptionSet, Sendable, Hashable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  private init(abi: Int) {
    rawValue = UInt64(abi)
  }

  /// P(i, j) + P(j, i) = 1; checked.
  public static let complement = Self(abi: Int(SPAR_RANK_COMPLEMENT))
  /// P is a function of differences of scores.
  public static let scalar = Self(abi: Int(SPAR_RANK_SCALAR))
  /// `rank` may run on several threads at once; else calls wait for one another.
  public static let reentrant = Self(abi: Int(SPAR_RANK_REENTRANT))
  /// `raw` is what the ranker computes; without it `pairwise` is.
  public static let nativeRaw = Self(abi: Int(SPAR_RANK_NATIVE_RAW))
  /// A prompt takes seconds or money: ask for one at a time and keep each.
  public static let costly = Self(abi: Int(SPAR_RANK_COSTLY))
}

/// One prompt and its K answers.
public struct RankQuery: Sendable {
  /// The conversation before the answer, without a template.
  public var messages: [(role: String, content: String)]
  /// [K] decoded, without the end token.
  public var responses: [String]
  /// The same as token ids of the tokenizer with that digest, where there are any.
  public var promptIDs: [Int32]?
  public var responseIDs: [[Int32]]?
  public var tokenizerDigest: String?
  /// The prompt's whole row of its file, a JSON object.
  public var row: String?

  public init(
    messages: [(role: String, content: String)], responses: [String], promptIDs: [Int32]? = nil,
    responseIDs: [[Int32]]? = nil, tokenizerDigest: String? = nil, row: String? = nil
  ) {
    self.messages = messages
    self.responses = responses
    self.promptIDs = promptIDs
    self.responseIDs = responseIDs
    self.tokenizerDigest = tokenizerDigest
    self.row = row
  }
}

/// What a ranker says about the K answers of a query; tables are row-major.
public struct RankResult: Sendable, Equatable {
  public var k: Int
  /// [k, k] the ranker's own score of (i left, j right), > 0 when i is better; diagonal 0.
  public var raw: [Double]
  /// [k, k] P(i beats j); diagonal ½.
  public var pairwise: [Double]
  /// [k] a scalar view, where the ranker has one.
  public var score: [Double]?
  /// [k, k] pairs that could not be compared, in both orders: raw 0, pairwise ½.
  public var failed: [Bool]
  /// [k] answers that the ranker has not read to the end.
  public var truncated: [Bool]
}
