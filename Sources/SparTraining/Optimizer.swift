import SparCompute
import SparTensor

/// Parameters with their gradients and the state of the update rule.
///
/// Formulas: RMSprop v = a v + (1-a) g^2, p -= lr g / (sqrt(v) + eps), without bias correction;
/// AdamW as in Loshchilov & Hutter 2019, arXiv:1711.05101, with eps outside the root.
public final class Optimizer {
  private let backend: Backend
  private let rule: UpdateRule
  private let weightDecay: Double
  public let parameters: [Parameter]
  /// First moment (or momentum) and mean square, one per parameter, where the rule has them.
  let first: [Tensor]
  let second: [Tensor]

  /// Gives every parameter a gradient of zeros.
  public init(_ parameters: [Parameter], options: TrainingOptions, backend: Backend) {
    self.backend = backend
    self.parameters = parameters
    rule = options.updateRule
    weightDecay = options.weightDecay
    let hasFirst =
      switch rule {
      case .adamW: true
      case .rmsProp(_, _, let momentum): momentum > 0
      }
    first = hasFirst ? parameters.map { backend.zeros($0.value.shape, use: .optimizer) } : []
    second = parameters.map { backend.zeros($0.value.shape, use: .optimizer) }
    for parameter in parameters {
      parameter.gradient = backend.zeros(parameter.value.shape, use: .optimizer)
    }
  }

  /// Gives the gradients' memory back; the model then only infers.
  public func releaseGradients() {
    for parameter in parameters { parameter.gradient = nil }
  }

  public func zeroGradients() {
    for parameter in parameters { parameter.gradient?.zero() }
  }

  /// The norm of all gradients as one vector.
  public func gradientNorm() throws -> Double {
    var sum = 0.0
    for parameter in parameters {
      if let gradient = parameter.gradient {
        // f64 across parameters: one large tensor must not swallow the small ones.
        sum += Double(try backend.sumOfSquares(gradient))
      }
    }
    return sum.squareRoot()
  }

  /// One update with the gradients times `gradientScale`; `step` counts from 1.
  public func update(learningRate: Double, gradientScale: Double, step: Int) throws {
    for (index, parameter) in parameters.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      // Biases and norm weights are not decayed, as in Hugging Face's Trainer.
      let decay = parameter.value.shape.count > 1 ? weightDecay : 0
      try backend.optimizerStep(
        rule, p: parameter.value, m: first.isEmpty ? nil : first[index], v: second[index],
        g: gradient, learningRate: learningRate, weightDecay: decay,
        gradientScale: gradientScale, step: step)
    }
  }

  /// State tensors: their kind, as checkpoints name it, and their parameter.
  package var state: [(kind: String, name: String, tensor: Tensor)] {
    let names = parameters.map(\.name)
    return zip(names, first).map { ("m", $0, $1) } + zip(names, second).map { ("v", $0, $1) }
  }
}
