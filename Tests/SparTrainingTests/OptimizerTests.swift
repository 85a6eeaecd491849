import Foundation
import SparCompute
import SparTensor
import SparTraining
import Testing

@Suite("Optimizer") struct OptimizerTests {
  private let backend = Backend.reference()

  private func parameter(_ values: [Float], _ shape: [Int]) -> Parameter {
    Parameter(name: "p\(shape.count)", value: Tensor(values, shape: shape, pool: backend.pool))
  }

  private func set(_ gradient: [Float], _ parameter: Parameter) throws {
    let target = try #require(parameter.gradient)
    for (index, value) in gradient.enumerated() { target.floats[index] = value }
  }

  @Test("RMSprop's first step is 10 lr sign(g), its second follows the mean square")
  func rmsprop() throws {
    let p = parameter([1, -2], [1, 2])
    let optimizer = Optimizer([p], options: TrainingOptions(), backend: backend)
    try set([3, -0.5], p)
    try optimizer.update(learningRate: 0.01, gradientScale: 1, step: 1)
    #expect(abs(p.value.floats[0] - 0.9) < 1e-6)
    #expect(abs(p.value.floats[1] + 1.9) < 1e-6)
    try set([1, -0.5], p)
    try optimizer.update(learningRate: 0.01, gradientScale: 1, step: 2)
    // v = .99 (.01 9) + .01 1 = .0991; 0.01 / sqrt(v) = 0.031766
    #expect(abs(p.value.floats[0] - (0.9 - 0.031_766)) < 1e-6)
    // v = .25 (.0099 + .01) = .004975; 0.005 / sqrt(v) = 0.070888
    #expect(abs(p.value.floats[1] - (-1.9 + 0.070_888)) < 1e-6)
  }

  @Test("AdamW's first step is lr sign(g), decay is apart and spares vectors")
  func adamW() throws {
    var options = TrainingOptions()
    options.optimizer = .adamw
    options.weightDecay = 0.1
    let (matrix, vector) = (parameter([1, -2], [1, 2]), parameter([1], [1]))
    let optimizer = Optimizer([matrix, vector], options: options, backend: backend)
    try set([3, -0.5], matrix)
    try set([4], vector)
    try optimizer.update(learningRate: 0.01, gradientScale: 1, step: 1)
    #expect(abs(matrix.value.floats[0] - (0.999 - 0.01)) < 1e-6)
    #expect(abs(matrix.value.floats[1] - (-1.998 + 0.01)) < 1e-6)
    #expect(abs(vector.value.floats[0] - 0.99) < 1e-6)
    try set([0, -0.5], matrix)
    try set([4], vector)
    try optimizer.update(learningRate: 0.01, gradientScale: 1, step: 2)
    // m = .27, v = .008991; (.27/.19) / sqrt(.008991/.001999) = 0.670052
    let wanted = 0.989 * 0.999 - 0.01 * 0.670_052
    #expect(abs(Double(matrix.value.floats[0]) - wanted) < 1e-6)
    #expect(abs(vector.value.floats[0] - 0.98) < 1e-6)
  }

  @Test("the gradient's norm is over all parameters, and clipping scales the gradient")
  func clipping() throws {
    var options = TrainingOptions()
    options.alpha = 0
    options.epsilon = 1
    let (a, b) = (parameter([0, 0], [1, 2]), parameter([0], [1]))
    let optimizer = Optimizer([a, b], options: options, backend: backend)
    try set([2, 3], a)
    try set([6], b)
    #expect(try optimizer.gradientNorm() == 7)
    try optimizer.update(learningRate: 1, gradientScale: 1.0 / 7, step: 1)
    // With alpha 0 and eps 1 the update is g / (|g| + 1) of the scaled gradient.
    #expect(abs(b.value.floats[0] + 6.0 / 13) < 1e-6)
    optimizer.zeroGradients()
    #expect(try optimizer.gradientNorm() == 0)
  }
}
