import SparTensor

/// Runs operations, and remembers how to differentiate them when `recording`.
///
/// A model is written once against a graph.  Without recording nothing is kept, and memory goes
/// back to the pool as variables end; with it, `backward` walks the tape in reverse and frees every
/// activation as soon as its last use is over.
public final class Graph {
  public let backend: Backend
  public let isRecording: Bool
  private var tape: [() throws(ComputeError) -> Void] = []

  public init(_ backend: Backend, recording: Bool = false) {
    self.backend = backend
    isRecording = recording
  }

  func record(_ step: @escaping () throws(ComputeError) -> Void) {
    if isRecording { tape.append(step) }
  }

  /// Propagates d loss / d output from `output` to every parameter that has a gradient.
  public func backward(from output: Variable, gradient: Tensor) throws(ComputeError) {
    try backward(from: [(output, gradient)])
  }

  /// The same from several outputs of one pass, none of which is an input of another.
  public func backward(from outputs: [(Variable, Tensor)]) throws(ComputeError) {
    for (output, gradient) in outputs { output.gradient = gradient }
    while let step = tape.popLast() { try step() }
  }

  /// As `backward`, but the tape and every activation stay, so that another gradient can follow.
  public func backwardKeepingTape(
    from output: Variable, gradient: Tensor
  ) throws(ComputeError) {
    output.gradient = gradient
    for step in tape.reversed() { try step() }
  }

  /// A place for `variable`'s gradient that an operation may write, and whether it must add.
  ///
  /// A gradient may share memory with that of another variable (both sides of a sum get the same
  /// tensor), so adding in place is only done where nobody else looks.
  func gradientTarget(_ variable: Variable) throws(ComputeError) -> (Tensor, Write) {
    guard variable.gradient != nil else {
      let fresh = backend.tensor(variable.value.shape)
      variable.gradient = fresh
      return (fresh, .overwrite)
    }
    if var gradient = variable.takeGradient() {
      if !gradient.isUniquelyReferenced() {
        let own = backend.tensor(gradient.shape)
        try backend.add(gradient, gradient, into: own, alpha: 1, beta: 0)
        gradient = own
      }
      variable.gradient = gradient
      return (gradient, .accumulate)
    }
    preconditionFailure("a gradient vanished")
  }

  /// Adds a finished gradient to `variable`'s.
  func give(_ gradient: Tensor, to variable: Variable) throws(ComputeError) {
    guard let present = variable.takeGradient() else {
      variable.gradient = gradient
      return
    }
    let sum = backend.tensor(present.shape)
    try backend.add(present, gradient, into: sum)
    variable.gradient = sum
  }

  /// A constant: values that nothing differentiates.
  public func constant(_ tensor: Tensor) -> Variable { Variable(tensor) }
}
