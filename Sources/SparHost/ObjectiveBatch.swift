import CSparPlugin

/// Inputs that an objective asks for; the host leaves the others out.
public struct ObjectiveNeeds: OptionSet, Sendable, Hashable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  private init(abi: Int) {
    rawValue = UInt64(abi)
  }

  /// `refLogp`, and `tokRefLogp` beside `tokens`.
  public static let reference = Self(abi: Int(SPAR_OBJ_REFERENCE))
  public static let winProb = Self(abi: Int(SPAR_OBJ_WIN_PROB))
  public static let pairwise = Self(abi: Int(SPAR_OBJ_PAIRWISE))
  /// `tokLogp`.
  public static let tokens = Self(abi: Int(SPAR_OBJ_TOKENS))
  /// `meanScore` and `score`.
  public static let score = Self(abi: Int(SPAR_OBJ_SCORE))
  /// `tokSumP2`.
  public static let sumP2 = Self(abi: Int(SPAR_OBJ_SUM_P2))
  /// Couples rows of different groups: all forward passes of a step come before it.
  public static let coupled = Self(abi: Int(SPAR_OBJ_COUPLED))
  /// An ability, not an input: groups whose labels are all 0 are trained answer by answer.
  public static let answers = Self(abi: Int(SPAR_OBJ_ANSWERS))
}

/// n answers in groups of one prompt each; group g is rows begin[g]..<begin[g + 1].
///
/// Log-probabilities are in nats.  `pairwise` and `score` hold one m × m block after another,
/// m being the rows of the group.
public struct ObjectiveBatch: Sendable {
  /// [groups + 1], from 0 to n.
  public var begin: [Int64]
  /// [n] log π(y|x), summed over tokens.
  public var logp: [Double]
  /// [n] under the reference policy.
  public var refLogp: [Double]?
  /// [n] mean over all K answers of the group of P(y beats y_j).
  public var winProb: [Double]?
  /// [n] mean over all K answers of the group of the log-odds W(y, y_j).
  public var meanScore: [Double]?
  public var pairwise: [Double]?
  public var score: [Double]?
  /// [n]
  public var nTokens: [Int64]
  /// [n] +1 chosen, -1 rejected, 0 neither; all 0 in a group that is trained answer by answer.
  public var label: [Int8]
  /// [sum of nTokens], answer after answer; so are the next two.
  public var tokLogp: [Float]?
  public var tokRefLogp: [Float]?
  /// Sum over the vocabulary of p².
  public var tokSumP2: [Float]?
  /// [n] each: named per-answer columns of the data set.
  public var columns: [String: [Double]]
  /// Sizes of the whole optimizer step that this batch is a part of.
  public var stepPairs: Int64
  public var stepAnswers: Int64
  public var stepTokens: Int64
  /// 0...1 through training.
  public var progress: Double

  public init(
    begin: [Int64], logp: [Double], refLogp: [Double]? = nil, winProb: [Double]? = nil,
    meanScore: [Double]? = nil, pairwise: [Double]? = nil, score: [Double]? = nil,
    nTokens: [Int64], label: [Int8], tokLogp: [Float]? = nil, tokRefLogp: [Float]? = nil,
    tokSumP2: [Float]? = nil, columns: [String: [Double]] = [:], stepPairs: Int64,
    stepAnswers: Int64, stepTokens: Int64, progress: Double = 0
  ) {
    self.begin = begin
    self.logp = logp
    self.refLogp = refLogp
    self.winProb = winProb
    self.meanScore = meanScore
    self.pairwise = pairwise
    self.score = score
    self.nTokens = nTokens
    self.label = label
    self.tokLogp = tokLogp
    self.tokRefLogp = tokRefLogp
    self.tokSumP2 = tokSumP2
    self.columns = columns
    self.stepPairs = stepPairs
    self.stepAnswers = stepAnswers
    self.stepTokens = stepTokens
    self.progress = progress
  }

  /// Arrays that disagree about n are mistakes of the caller.
  func checkShapes() {
    let n = logp.count
    precondition(begin.first == 0 && begin.last == Int64(n), "begin must run from 0 to n")
    precondition(zip(begin, begin.dropFirst()).allSatisfy { $0 <= $1 }, "begin must not fall")
    precondition(nTokens.count == n && label.count == n, "nTokens and label need n values")
    for column in [refLogp, winProb, meanScore] + columns.values.map(Optional.some) {
      precondition(column == nil || column?.count == n, "a column needs n values")
    }
    let cells = zip(begin, begin.dropFirst()).reduce(0) { $0 + Int(($1.1 - $1.0) * ($1.1 - $1.0)) }
    for table in [pairwise, score] {
      precondition(table == nil || table?.count == cells, "a table needs an m × m block a group")
    }
    let tokens = Int(nTokens.reduce(0, +))
    for values in [tokLogp, tokRefLogp, tokSumP2] {
      precondition(values == nil || values?.count == tokens, "token values need sum(nTokens)")
    }
  }
}

/// What an objective made of a batch.
public struct ObjectiveResult: Sendable, Equatable {
  /// [n]; the total is the sum, nothing is averaged.
  public var loss: [Double]
  /// [n] d(total)/d(logp).
  public var dlogp: [Double]
  /// [sum of nTokens] d(total)/d(tokLogp), for objectives that ask for tokens.
  public var dtokLogp: [Float]?
  /// A metric over a step is the sum of these over that of `metricWeight`.
  public var metricSum: [Double]
  public var metricWeight: [Double]

  package init(
    loss: [Double], dlogp: [Double], dtokLogp: [Float]?, metricSum: [Double],
    metricWeight: [Double]
  ) {
    self.loss = loss
    self.dlogp = dlogp
    self.dtokLogp = dtokLogp
    self.metricSum = metricSum
    self.metricWeight = metricWeight
  }
}
