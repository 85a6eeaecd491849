import CSparPlugin
import SparHost

/// A created objective and its adopted table.
final class ObjectiveUnderTest: Sendable {
  let instance: LiveInstance
  let needs: ObjectiveNeeds
  let metrics: Int
  private let evaluateFunction: EvaluateFunction?

  typealias EvaluateFunction =
    @Sendable @convention(c) (
      UnsafeMutableRawPointer?, UnsafeMutablePointer<spar_objective_batch>?
    ) -> spar_status

  init(_ instance: LiveInstance) {
    self.instance = instance
    let component = instance.owner.component
    let table =
      component.raw.api.map { adopt($0, as: spar_objective_api.self) } ?? spar_objective_api()
    needs = component.needs
    var count = 0
    var next = table.metric_names
    while let list = next, list.pointee != nil {
      count += 1
      next = list + 1
    }
    metrics = count
    evaluateFunction = unsafeBitCast(table.evaluate, to: EvaluateFunction?.self)
  }

  /// What `evaluate` answered, and what it wrote.
  func evaluate(_ batch: RandomBatch) -> (outcome: Outcome, result: ObjectiveResult) {
    let lent = LentBatch(batch, needs: needs, metrics: metrics, age: instance.owner.age)
    let outcome = instance.owner.host.call {
      evaluateFunction?(instance.pointer, lent.pointer) ?? spar_status(SPAR_E_INTERNAL)
    }
    return (outcome, lent.result)
  }

  /// The result, finite; nil where the objective refuses such labels with a text.
  func result(_ batch: RandomBatch, _ doing: String) throws -> ObjectiveResult? {
    instance.owner.subject.doing(doing)
    let (outcome, result) = evaluate(batch)
    try outcome.requireText(doing)
    guard outcome.isOK else { return nil }
    try requireFinite(result, doing)
    return result
  }

  func requireFinite(_ result: ObjectiveResult, _ doing: String) throws {
    for (name, values) in [
      ("loss", result.loss), ("dlogp", result.dlogp), ("metric_sum", result.metricSum),
      ("metric_weight", result.metricWeight),
      ("dtok_logp", result.dtokLogp?.map(Double.init) ?? []),
    ] {
      if let row = values.firstIndex(where: { !$0.isFinite }) {
        throw Violation("\(name)[\(row)] is \(values[row]) after \(doing)")
      }
    }
  }
}

extension ComponentUnderTest {
  /// The option sets under which laws are tried: the user's and, one after another, every other
  /// value of options that choose between formulas.
  var variants: [[String: String]] {
    var sets: [[String: String]] = [[:]]
    for option in component.options {
      switch option.type {
      case .choice: sets += option.choices.map { [option.name: $0] }
      case .bool: sets += ["true", "false"].map { [option.name: $0] }
      default: break
      }
    }
    return sets
  }
}

/// Names a variant in a reason: "" for the defaults, " with kind=hinge" else.
func with(_ variant: [String: String]) -> String {
  variant.isEmpty ? "" : " with " + variant.map { "\($0)=\($1)" }.joined(separator: ", ")
}
