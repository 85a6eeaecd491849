import SparTensor

extension Graph {
  /// factor x, in place; returns x.
  public func scale(_ x: Variable, by factor: Double) throws(ComputeError) -> Variable {
    guard factor != 1 else { return x }
    try backend.add(x.value, x.value, into: x.value, alpha: factor, beta: 0)
    record { [self] () throws(ComputeError) in
      guard x.gradient != nil else { return }
      let (dx, _) = try gradientTarget(x)
      try backend.add(dx, dx, into: dx, alpha: factor, beta: 0)
    }
    return x
  }

  /// cap tanh(x / cap), and x where the cap is 0; uses x's memory.
  public func softcap(_ x: Variable, _ cap: Double) throws(ComputeError) -> Variable {
    guard cap > 0 else { return x }
    return try scale(tanh(scale(x, by: 1 / cap)), by: cap)
  }

  /// tanh x, elementwise.
  public func tanh(_ x: Variable) throws(ComputeError) -> Variable {
    let y = Variable(backend.tensor(x.value.shape))
    try backend.activation(.tanh, x.value, gate: nil, into: y.value)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      let dx = backend.tensor(x.value.shape)
      try backend.activationBackward(.tanh, x.value, gate: nil, dy: dy, dx: dx, dgate: nil)
      try give(dx, to: x)
    }
    return y
  }
}
