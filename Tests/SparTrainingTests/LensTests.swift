import SparHost
import SparModel
import SparTraining
import Testing

@Suite("Lens", .enabled(if: Golden.folder != nil, Golden.absent))
struct LensTests {
  private func prompts(_ model: TrainableModel) throws -> [TrainingGroup] {
    let groups = randomGroups(3)
    var ready = try ReferenceLogps.compute(groups, model: model, tokensPerPass: 64).applied(
      to: groups)
    ready[1].answers[0].refLogp? -= 2
    return ready
  }

  /// `SquareObjective` with its loss times a factor.
  private struct Scaled: TrainingObjective {
    var factor: Double
    var needs: ObjectiveNeeds { SquareObjective().needs }
    var metricNames: [String] { SquareObjective().metricNames }

    func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
      var result = try SquareObjective(beta: 0.1).differentiate(batch)
      result.loss = result.loss.map { factor * $0 }
      result.dlogp = result.dlogp.map { factor * $0 }
      return result
    }
  }

  @Test("tells loss, target and derivative of every answer")
  func readings() throws {
    let model = try Golden.tinyModel()
    let groups = try prompts(model)
    var seen: [LensPrompt] = []
    _ = try Lens(
      model, [.init("square", SquareObjective(beta: 0.1)), .init("logistic", SigmoidObjective())],
      withParameters: false
    ).run(groups) { index, prompt in
      #expect(index == seen.count)
      seen.append(prompt)
    }
    try #require(seen.count == 3)
    for (index, prompt) in seen.enumerated() {
      let ratios = index == 1 ? [2.0, 0] : [0, 0]
      #expect(zip(prompt.logRatios, ratios).allSatisfy { abs($0 - $1) < 1e-4 })
      // P is 0.8 and 0.3, so (P - 1/2) / 0.1 is 3 and -2.
      let square = prompt.readings[0]
      for (target, wanted) in zip(square.targets, [3.0, -2]) {
        #expect(abs(try #require(target) - wanted) < 1e-9)
      }
      for (slope, (ratio, target)) in zip(square.derivatives, zip(prompt.logRatios, [3.0, -2])) {
        #expect(abs(slope - (ratio - target)) < 1e-9)
      }
      let logistic = prompt.readings[1]
      #expect(logistic.targets == [nil, nil])
      #expect(abs(logistic.derivatives[0] + logistic.derivatives[1]) < 1e-12)
      #expect(logistic.derivatives[0] < 0)
    }
  }

  @Test("gradients that point the same way have cosine 1, opposite ones -1")
  func cosines() throws {
    let model = try Golden.tinyModel()
    let subjects: [Lens.Subject] = [
      .init("a", Scaled(factor: 1)), .init("b", Scaled(factor: 1000)),
      .init("c", Scaled(factor: -3)), .init("none", Scaled(factor: 0)),
    ]
    let summary = try Lens(model, subjects).run(prompts(model)) { _, _ in }
    for table in [summary.logProbCosines, try #require(summary.parameterCosines)] {
      for (i, j, wanted) in [(0, 0, 1.0), (0, 1, 1), (1, 2, -1), (2, 0, -1)] {
        #expect(abs(try #require(table[i][j]) - wanted) < 1e-5)
      }
      #expect(table[3].allSatisfy { $0 == nil })
    }
    #expect(model.architecture.parameters.allSatisfy { $0.gradient == nil })
  }

  @Test("the gradient by parameters is that of a training step")
  func trainingGradient() throws {
    let model = try Golden.tinyModel()
    let groups = try prompts(model)
    let subjects: [Lens.Subject] = [
      .init("square", SquareObjective(beta: 0.1)), .init("logistic", SigmoidObjective()),
    ]
    let summary = try Lens(model, subjects).run(groups) { _, _ in }
    var steps: [[Float]] = []
    for subject in subjects {
      _ = Optimizer(
        model.architecture.parameters, options: TrainingOptions(), backend: model.backend)
      _ = try StepGradient(model: model, objective: subject.objective, tokensPerPass: 1024)
        .accumulate(groups)
      steps.append(Array(gradients(model).joined()))
    }
    let norms = try #require(summary.parameterNorms)
    for (found, step) in zip(norms, steps) { #expect(abs(found - norm(step)) < 1e-4 * norm(step)) }
    let product = zip(steps[0], steps[1]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let cosine = try #require(summary.parameterCosines?[0][1])
    #expect(abs(cosine - product / norm(steps[0]) / norm(steps[1])) < 1e-4)
  }

  @Test("an objective that ties prompts together, or lacks its reference, is refused")
  func refusals() throws {
    let model = try Golden.tinyModel()
    let coupled = #expect(throws: TrainingError.self) {
      try Lens(model, [.init("coupled", CoupledObjective())]).run(prompts(model)) { _, _ in }
    }
    #expect("\(coupled as Any)".contains("coupled"))
    let bare = #expect(throws: TrainingError.self) {
      try Lens(model, [.init("square", SquareObjective())]).run(randomGroups(2)) { _, _ in }
    }
    #expect(bare == .missingReference(group: 0))
  }
}
