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
