/// A linear layer without bias on hidden states, summed in double precision in the order of the
/// columns, so that its results are the same everywhere.
public struct LinearHead {
  public let outputs: Int
  public let inputs: Int
  private let weights: [Float]

  /// - Parameter weights: of shape [outputs, hidden size].
  public init(_ weights: TextModel.Weights, named name: String, _ model: TextModelInfo) throws {
    guard weights.shape.count == 2, weights.shape[1] == model.hiddenSize, weights.shape[0] > 0
    else {
      throw PluginFailure(
        "\(model.path): tensor \(name) has shape \(weights.shape), "
          + "a head on this model is [outputs, \(model.hiddenSize)]")
    }
    guard weights.values.allSatisfy(\.isFinite) else {
      throw PluginFailure("\(model.path): tensor \(name) is not finite; the file is damaged")
    }
    outputs = weights.shape[0]
    inputs = weights.shape[1]
    self.weights = weights.values
  }

  /// W·h for one hidden state, row `row` of `states` [rows, C].
  public func callAsFunction(_ states: [Float], row: Int = 0) -> [Double] {
    precondition(states.count >= (row + 1) * inputs, "a state for row \(row)")
    return (0..<outputs).map { output in
      var sum = 0.0
      for column in 0..<inputs {
        sum += Double(weights[output * inputs + column]) * Double(states[row * inputs + column])
      }
      return sum
    }
  }
}
