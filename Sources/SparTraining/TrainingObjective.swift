import SparHost

/// What the trainer asks of an objective: `SparHost.Objective` is one, and so is any Swift type in
/// an embedding program.
///
/// Law: `differentiate` is a pure function; `dlogp` is the derivative of the sum of `loss`.
public protocol TrainingObjective {
  var needs: ObjectiveNeeds { get }
  var metricNames: [String] { get }
  func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative
}

/// Losses of a batch and their derivatives; see `ObjectiveResult`, which a plugin's answer is.
public struct BatchDerivative: Equatable, Sendable {
  /// One per answer; the total is the sum.
  public var loss: [Double]
  /// d total / d logp, one per answer.
  public var dlogp: [Double]
  /// d total / d log-probability of each token, if the objective looks at tokens.
  public var dtokLogp: [Float]?
  /// A metric over a step is the sum of these over the sum of the weights.
  public var metricSum: [Double]
  public var metricWeight: [Double]

  public init(
    loss: [Double], dlogp: [Double], dtokLogp: [Float]? = nil, metricSum: [Double] = [],
    metricWeight: [Double] = []
  ) {
    self.loss = loss
    self.dlogp = dlogp
    self.dtokLogp = dtokLogp
    self.metricSum = metricSum
    self.metricWeight = metricWeight
  }
}

extension Objective: TrainingObjective {
  public func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
    let result = try evaluate(batch)
    return BatchDerivative(
      loss: result.loss, dlogp: result.dlogp, dtokLogp: result.dtokLogp,
      metricSum: result.metricSum, metricWeight: result.metricWeight)
  }
}

extension ObjectiveBatch {
  /// The batch of `groups`, whose answers' token log-probabilities are `logps`, end to end; sums
  /// are taken in f64.
  init(
    _ groups: ArraySlice<TrainingGroup>, logps: [Float], sumP2: [Float], needs: ObjectiveNeeds,
    sizes: StepSizes, progress: Double
  ) {
    let answers = groups.flatMap(\.answers)
    var begin: [Int64] = [0]
    for group in groups { begin.append(begin[begin.count - 1] + Int64(group.answers.count)) }
    var sums: [Double] = []
    var first = 0
    for answer in answers {
      let end = first + answer.ids.count
      sums.append(logps[first..<end].reduce(0.0) { $0 + Double($1) })
      first = end
    }
    let hasReference = needs.contains(.reference)
    self.init(
      begin: begin, logp: sums, refLogp: hasReference ? answers.map { $0.refLogp ?? 0 } : nil,
      winProb: answers.map(\.winProb), meanScore: answers.map(\.meanScore),
      pairwise: groups.flatMap(\.pairwise), score: groups.flatMap(\.score),
      nTokens: answers.map { Int64($0.ids.count) }, label: answers.map(\.label), tokLogp: logps,
      tokRefLogp: hasReference && needs.contains(.tokens)
        ? answers.flatMap(\.tokenRefLogps) : nil,
      tokSumP2: needs.contains(.sumP2) ? sumP2 : nil, columns: Self.columns(groups),
      stepPairs: Int64(sizes.pairs), stepAnswers: Int64(sizes.answers),
      stepTokens: Int64(sizes.tokens), progress: progress)
  }

  /// Columns that every group has.
  private static func columns(_ groups: ArraySlice<TrainingGroup>) -> [String: [Double]] {
    var columns = groups.first?.columns ?? [:]
    for group in groups.dropFirst() {
      columns = columns.reduce(into: [:]) { kept, column in
        if let more = group.columns[column.key] { kept[column.key] = column.value + more }
      }
    }
    return columns
  }
}
