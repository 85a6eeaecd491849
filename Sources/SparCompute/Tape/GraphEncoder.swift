import SparTensor

/// What encoders need beside decoders' operations.
extension Graph {
  /// (x − mean) / deviation * weight + bias over the last axis.
  public func layerNorm(
    _ x: Variable, _ weight: Parameter, bias: Parameter, epsilon: Double
  ) throws(ComputeError) -> Variable {
    let rows = x.value.shape[0]
    let y = Variable(backend.tensor(x.value.shape))
    let (mean, rstd) = (backend.tensor([rows]), backend.tensor([rows]))
    try backend.layerNorm(
      x.value, weight: weight.value, bias: bias.value, epsilon: epsilon, into: y.value, mean: mean,
      rstd: rstd)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      let (dx, write) = try gradientTarget(x)
      try backend.layerNormBackward(
        x.value, weight: weight.value, mean: mean, rstd: rstd, dy: dy, epsilon: epsilon, dx: dx,
        write: write, dweight: weight.gradient, dbias: bias.gradient)
    }
    return y
  }

  /// The same values in another shape.
  public func reshaped(_ x: Variable, _ shape: [Int]) -> Variable {
    let y = Variable(x.value.reshaped(shape))
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      try give(dy.reshaped(x.value.shape), to: x)
    }
    return y
  }

  /// f(x), elementwise.
  public func activated(_ kind: Activation, _ x: Variable) throws(ComputeError) -> Variable {
    let y = Variable(backend.tensor(x.value.shape))
    try backend.activation(kind, x.value, gate: nil, into: y.value)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      let dx = backend.tensor(x.value.shape)
      try backend.activationBackward(kind, x.value, gate: nil, dy: dy, dx: dx, dgate: nil)
      try give(dx, to: x)
    }
    return y
  }

  /// Attention of q, k, v [T, H D] within spans, with scores that also depend on distance through
  /// the tables [R, H D] (nil: without that term): [T, H D].
  public func relativeAttention(
    q: Variable, k: Variable, v: Variable, keyTable: Variable?, queryTable: Variable?, heads: Int,
    _ positions: RelativePositions, scale: Double
  ) throws(ComputeError) -> Variable {
    let size = q.value.shape[1] / heads
    func split(_ tensor: Tensor) -> Tensor { tensor.reshaped([tensor.shape[0], heads, size]) }
    let tables = PositionTables(
      keys: keyTable.map { split($0.value) }, queries: queryTable.map { split($0.value) })
    let o = Variable(backend.tensor(q.value.shape))
    let lse = backend.tensor([q.value.shape[0], heads])
    try backend.relativeAttention(
      split(q.value), split(k.value), split(v.value), tables, positions, scale: scale,
      into: split(o.value), lse: lse)
    record { [self] () throws(ComputeError) in
      guard let dO = o.takeGradient() else { return }
      let (dq, dk) = (backend.tensor(q.value.shape), backend.tensor(k.value.shape))
      let dv = backend.tensor(v.value.shape)
      let dKeys = keyTable.map { backend.tensor($0.value.shape) }
      let dQueries = queryTable.map { backend.tensor($0.value.shape) }
      try backend.relativeAttentionBackward(
        split(q.value), split(k.value), split(v.value), tables, o: split(o.value), lse: lse,
        dO: split(dO), positions, scale: scale, dq: split(dq), dk: split(dk), dv: split(dv),
        dTables: PositionTables(keys: dKeys.map(split), queries: dQueries.map(split)))
      try give(dq, to: q)
      try give(dk, to: k)
      try give(dv, to: v)
      if let dKeys, let keyTable { try give(dKeys, to: keyTable) }
      if let dQueries, let queryTable { try give(dQueries, to: queryTable) }
    }
    return o
  }
}
