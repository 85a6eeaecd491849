import SparTensor

extension Graph {
  /// y[t] = table[ids[t]]: [T, C].
  public func embed(_ ids: [Int32], table: Parameter) throws(ComputeError) -> Variable {
    let y = Variable(backend.tensor([ids.count, table.value.shape[1]]))
    try backend.embed(ids, table: table.value, into: y.value)
    record { [backend] () throws(ComputeError) in
      guard let dy = y.takeGradient(), let dtable = table.gradient else { return }
      try backend.embedBackward(ids, dy: dy, dtable: dtable)
    }
    return y
  }

  /// Rows of x by number, with repetition: y[i] = x[rows[i]].
  public func gather(_ x: Variable, rows: [Int32]) throws(ComputeError) -> Variable {
    let y = Variable(backend.tensor([rows.count, x.value.shape[1]]))
    try backend.embed(rows, table: x.value, into: y.value)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      let (dx, write) = try gradientTarget(x)
      if write == .overwrite { dx.zero() }
      try backend.embedBackward(rows, dy: dy, dtable: dx)
    }
    return y
  }

  /// y = x weight^T (+ bias); x [T, in], weight [out, in], bias [out].  With `rows`, those rows of
  /// a weight that several projections share.  An adapter of the weight adds its own product.
  public func linear(
    _ x: Variable, _ weight: Parameter, rows: Range<Int>? = nil, bias: Parameter? = nil
  ) throws(ComputeError) -> Variable {
    let y = try product(x, weight, rows: rows, bias: bias)
    guard let adapter = weight.adapter else { return y }
    return try add(
      y, linear(linear(x, adapter.a), adapter.b, rows: rows), scale: adapter.scale)
  }

  private func product(
    _ x: Variable, _ weight: Parameter, rows: Range<Int>?, bias: Parameter?
  ) throws(ComputeError) -> Variable {
    let value = rows.map { weight.value.rows($0) } ?? weight.value
    let y = Variable(backend.tensor([x.value.shape[0], value.shape[0]]))
    try backend.gemm(x.value, value, into: y.value, transposeB: true, bias: bias?.value)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      if let gradient = weight.gradient {
        let dweight = rows.map { gradient.rows($0) } ?? gradient
        try backend.gemm(dy, x.value, into: dweight, transposeA: true, beta: 1)
      }
      if let bias, let dbias = bias.gradient {
        let sum = backend.tensor([dy.shape[1]])
        try backend.sumRows(dy, into: sum)
        try backend.add(dbias, sum, into: dbias)
      }
      let (dx, write) = try gradientTarget(x)
      try backend.gemm(dy, value, into: dx, beta: write == .accumulate ? 1 : 0)
    }
    return y
  }

  /// x / rms(x) * (weight + offset) over each run of the weight's width W: x [T, n W].
  ///
  /// The sum is made anew each time, [W], so that the weight stays what is trained and stored.
  public func rmsNorm(
    _ x: Variable, _ weight: Parameter, epsilon: Double, offset: Double = 0
  ) throws(ComputeError) -> Variable {
    let width = weight.value.count
    let shape = [x.value.count / width, width]
    let factor = offset == 0 ? weight.value : backend.tensor([width])
    if offset != 0 {
      try backend.fill(factor, offset)
      try backend.add(factor, weight.value, into: factor)
    }
    let y = Variable(backend.tensor(x.value.shape))
    let rstd = backend.tensor([shape[0]])
    try backend.rmsNorm(
      x.value.reshaped(shape), weight: factor, epsilon: epsilon, into: y.value.reshaped(shape),
      rstd: rstd)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      let (dx, write) = try gradientTarget(x)
      try backend.rmsNormBackward(
        x.value.reshaped(shape), weight: factor, rstd: rstd, dy: dy.reshaped(shape),
        epsilon: epsilon, dx: dx.reshaped(shape), write: write, dweight: weight.gradient)
    }
    return y
  }

  /// Rotary position embedding of the first `size` (nil: all) values of each head, in place on
  /// x [T, heads * D]; returns x.
  public func rotary(
    _ x: Variable, heads: Int, size: Int? = nil, _ table: RotaryTable, positions: [Int32]
  ) throws(ComputeError) -> Variable {
    let width = x.value.shape[1] / heads
    guard let size, size < width else {
      return try rotary(
        x, table, positions: positions, view: { $0.reshaped([positions.count, heads, width]) })
    }
    // Each head as a row of its own: what is rotated is then contiguous.
    return try rotary(
      x, table, positions: positions.flatMap { [Int32](repeating: $0, count: heads) },
      view: { $0.reshaped([positions.count * heads, 1, width]).leading(size) })
  }

  private func rotary(
    _ x: Variable, _ table: RotaryTable, positions: [Int32], view: @escaping (Tensor) -> Tensor
  ) throws(ComputeError) -> Variable {
    try backend.rotary(view(x.value), table, positions: positions)
    record { [self] () throws(ComputeError) in
      guard x.gradient != nil else { return }
      let (dx, _) = try gradientTarget(x)
      try backend.rotary(view(dx), table, positions: positions, inverse: true)
    }
    return x
  }

  /// f(gate) * up, elementwise.
  public func gated(
    _ kind: Activation, gate: Variable, up: Variable
  ) throws(ComputeError) -> Variable {
    let y = Variable(backend.tensor(gate.value.shape))
    try backend.activation(kind, gate.value, gate: up.value, into: y.value)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      let dgate = backend.tensor(gate.value.shape)
      let dup = backend.tensor(gate.value.shape)
      try backend.activationBackward(
        kind, gate.value, gate: up.value, dy: dy, dx: dgate, dgate: dup)
      try give(dgate, to: gate)
      try give(dup, to: up)
    }
    return y
  }

  /// x + scale z of one shape.
  public func add(
    _ x: Variable, _ z: Variable, scale: Double = 1
  ) throws(ComputeError) -> Variable {
    let y = Variable(backend.tensor(x.value.shape))
    try backend.add(x.value, z.value, into: y.value, alpha: 1, beta: scale)
    record { [self] () throws(ComputeError) in
      guard let dy = y.takeGradient() else { return }
      try give(dy, to: x)
      guard scale != 1 else { return try give(dy, to: z) }
      let dz = backend.tensor(dy.shape)
      try backend.add(dy, dy, into: dz, alpha: scale, beta: 0)
      try give(dz, to: z)
    }
    return y
  }
}
