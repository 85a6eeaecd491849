import SparHost

/// What the trainer asks of an objective: `SparHost.Objective` is one, and so is any Swift type in
/// an embedding program.
///
/// Law: `evaluate` is a pure function; `dlogp` is the derivative of the sum of `loss`.
public protocol TrainingObjective {
  var needs: ObjectiveNeeds { get }
  var metricNames: [String] { get }
  func evaluate(_ batch: ObjectiveBatch) throws -> ObjectiveResult
}
