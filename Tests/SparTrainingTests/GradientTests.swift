import Foundation
import SparHost
import SparModel
import SparTraining
import Testing

@Suite("Gradients of a step", .enabled(if: Golden.folder != nil, Golden.absent))
struct GradientTests {
  /// The golden sequences as groups of one answer, weighted.
  private func golden() throws -> (groups: [TrainingGroup], expected: SafetensorsFile) {
    let expected = try SafetensorsFile(Golden.path("models/llama/expected.safetensors"))
    let weights = try expected.floats("weight")
    let lengths = try expected.floats("prompt_len").map { Int($0) }
    let groups = try (0..<3).map { index in
      let ids = try expected.floats("ids.\(index)").map { Int32($0) }
      var group = TrainingGroup(
        promptIDs: Array(ids.prefix(lengths[index])),
        answers: [TrainingAnswer(ids: Array(ids.dropFirst(lengths[index])))])
      group.columns["weight"] = [Double(weights[index])]
      return group
    }
    return (groups, expected)
  }

  @Test("loss, log-probabilities and every gradient agree with PyTorch")
  func agreesWithTorch() throws {
    let (groups, expected) = try golden()
    let model = try Golden.tinyModel()
    _ = Optimizer(
      model.architecture.parameters, options: TrainingOptions(), backend: model.backend)
    let step = StepGradient(model: model, objective: LinearObjective(), tokensPerPass: 1024)
    let outcome = try step.accumulate(groups)
    let loss = Double(try expected.floats("loss")[0])
    #expect(abs(outcome.loss / 3 - loss) < 1e-3)
    for (index, group) in groups.enumerated() {
      let logps = try expected.floats("logp.\(index)").dropFirst(group.promptIDs.count - 1)
      let sum = logps.reduce(0.0) { $0 + Double($1) }
      #expect(abs(outcome.logps[index][0] - sum) < 1e-3)
    }
    for parameter in model.architecture.parameters {
      let wanted = try expected.floats("grad." + parameter.name)
      let found = try #require(parameter.gradient).array()
      #expect(distance(found, wanted) <= 1e-4 * norm(wanted), "\(parameter.name)")
    }
  }

  @Test("accumulation over passes equals the large batch", arguments: [1, 20])
  func accumulation(tokensPerPass: Int) throws {
    let model = try Golden.tinyModel()
    let optimizer = Optimizer(
      model.architecture.parameters, options: TrainingOptions(), backend: model.backend)
    let groups = randomGroups(4)
    let reference = try ReferenceLogps.compute(groups, model: model, tokensPerPass: 1024)
    let ready = reference.applied(to: groups)
    let whole = try StepGradient(
      model: model, objective: SquareObjective(), tokensPerPass: 100_000
    ).accumulate(ready)
    let large = gradients(model)
    optimizer.zeroGradients()
    let parts = try StepGradient(
      model: model, objective: SquareObjective(), tokensPerPass: tokensPerPass
    ).accumulate(ready)
    #expect(parts.loss == whole.loss)
    #expect(parts.logps == whole.logps)
    for (a, b) in zip(gradients(model), large) { #expect(distance(a, b) <= 1e-5 * norm(b)) }
  }

  @Test("an objective that couples groups sees the whole step whatever the passes")
  func coupled() throws {
    let model = try Golden.tinyModel()
    let optimizer = Optimizer(
      model.architecture.parameters, options: TrainingOptions(), backend: model.backend)
    let groups = randomGroups(3, seed: 5)
    let whole = try StepGradient(
      model: model, objective: CoupledObjective(), tokensPerPass: 100_000
    ).accumulate(groups)
    let large = gradients(model)
    optimizer.zeroGradients()
    let parts = try StepGradient(
      model: model, objective: CoupledObjective(), tokensPerPass: 1
    ).accumulate(groups)
    #expect(parts.loss == whole.loss)
    for (a, b) in zip(gradients(model), large) { #expect(distance(a, b) <= 1e-5 * norm(b)) }
  }

  /// Weights tokens instead of answers, and keeps what it was shown.
  private final class TokenObjective: TrainingObjective {
    let needs: ObjectiveNeeds = [.tokens, .sumP2]
    let metricNames: [String] = []
    var seen: ObjectiveBatch?

    func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
      seen = batch
      let weights = try #require(batch.columns["weight"])
      var derivative = BatchDerivative(loss: weights.map { _ in 0 }, dlogp: weights.map { _ in 0 })
      derivative.dtokLogp = zip(weights, batch.nTokens).flatMap { weight, count in
        Array(repeating: Float(weight * Double(batch.stepPairs)), count: Int(count))
      }
      return derivative
    }
  }

  @Test("an objective may look at tokens: their log-probabilities, sums of squares, derivatives")
  func tokens() throws {
    let (groups, expected) = try golden()
    let model = try Golden.tinyModel()
    _ = Optimizer(
      model.architecture.parameters, options: TrainingOptions(), backend: model.backend)
    let objective = TokenObjective()
    _ = try StepGradient(model: model, objective: objective, tokensPerPass: 1024)
      .accumulate(groups)
    let seen = try #require(objective.seen)
    var first = 0
    for (index, group) in groups.enumerated() {
      let prompt = group.promptIDs.count
      let logps = try expected.floats("logp.\(index)")
      let logits = try expected.floats("logits.\(index)")
      for token in 0..<group.answers[0].ids.count {
        let row = logits[(prompt - 1 + token) * 160..<(prompt + token) * 160].map(Double.init)
        let total = row.reduce(0) { $0 + exp($1) }
        let squares = row.reduce(0) { $0 + exp($1) * exp($1) } / (total * total)
        #expect(abs(Double(try #require(seen.tokSumP2)[first]) - squares) < 1e-5)
        #expect(abs(try #require(seen.tokLogp)[first] - logps[prompt - 1 + token]) < 1e-4)
        first += 1
      }
    }
    for parameter in model.architecture.parameters {
      let wanted = try expected.floats("grad." + parameter.name)
      let found = try #require(parameter.gradient).array()
      #expect(distance(found, wanted) <= 1e-4 * norm(wanted), "\(parameter.name)")
    }
  }
}
