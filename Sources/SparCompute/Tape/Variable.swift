import SparTensor

/// A trained tensor: its value and, while training, the sum of its gradients.
public final class Parameter: @unchecked Sendable {
  /// The tensor's name in a Hugging Face checkpoint.
  public let name: String
  public let value: Tensor
  /// Same shape as the value; nil when the parameter is frozen.
  public var gradient: Tensor?
  /// A low-rank correction that linear layers add; nil = none.
  public var adapter: LowRankAdapter?

  public init(name: String, value: Tensor) {
    self.name = name
    self.value = value
  }
}

/// A tensor that an operation made, with its place for a gradient during the backward pass.
public final class Variable {
  public let value: Tensor
  var gradient: Tensor?

  init(_ value: Tensor) { self.value = value }

  /// Hands the gradient over, if anything reached this variable.
  func takeGradient() -> Tensor? {
    defer { gradient = nil }
    return gradient
  }
}
