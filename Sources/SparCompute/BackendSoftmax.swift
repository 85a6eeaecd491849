import CSparPlugin
import SparTensor

/// Operations on given scores; the linear head of `BackendLogProbability` needs no logits.
extension Backend {
  /// y = softmax(scale x + mask) along rows; x, y [R, C], mask [C] or [R, C]; y may be x.
  public func softmax(
    _ x: Tensor, mask: Tensor? = nil, scale: Double = 1, into y: Tensor
  ) throws(ComputeError) {
    var args = spar_softmax_args()
    args.struct_size = UInt64(MemoryLayout<spar_softmax_args>.size)
    args.x = input(x)
    args.mask = input(mask)
    args.y = slot(y)
    args.scale = scale
    try call("softmax", api.softmax, &args, fast: fallback?.softmax, twin: Reference.softmax)
  }

  /// dx from y = softmax(scale x + mask) and dy; dx may be dy.
  public func softmaxBackward(
    y: Tensor, dy: Tensor, scale: Double = 1, dx: Tensor
  ) throws(ComputeError) {
    var args = spar_softmax_args()
    args.struct_size = UInt64(MemoryLayout<spar_softmax_args>.size)
    args.y = slot(y)
    args.dy = input(dy)
    args.dx = slot(dx)
    args.scale = scale
    try call(
      "softmax_bwd", api.softmax_bwd, &args, fast: fallback?.softmaxBackward,
      twin: Reference.softmaxBackward)
  }

  /// Log-probabilities of targets [T] from logits [T, V]; a negative target skips its row.
  public func logp(
    _ logits: Tensor, targets: [Int32], inverseTemperature: Double = 1, logp: Tensor, lse: Tensor,
    entropy: Tensor? = nil
  ) throws(ComputeError) {
    var args = logpArgs(logits, lse, inverseTemperature)
    args.logp = slot(logp)
    args.entropy = slot(entropy)
    try targets.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.targets = buffer.baseAddress
      try call("logp", api.logp, &args, fast: fallback?.logp, twin: Reference.logp)
    }
  }

  /// dlogits from coef [T] = d loss / d logp; may be the logits' own memory.
  public func logpBackward(
    _ logits: Tensor, targets: [Int32], inverseTemperature: Double = 1, lse: Tensor, coef: Tensor,
    dlogits: Tensor
  ) throws(ComputeError) {
    var args = logpArgs(logits, lse, inverseTemperature)
    args.coef = input(coef)
    args.dlogits = slot(dlogits)
    try targets.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.targets = buffer.baseAddress
      try call(
        "logp_bwd", api.logp_bwd, &args, fast: fallback?.logpBackward,
        twin: Reference.logpBackward)
    }
  }

  private func logpArgs(
    _ logits: Tensor, _ lse: Tensor, _ inverseTemperature: Double
  ) -> spar_logp_args {
    var args = spar_logp_args()
    args.struct_size = UInt64(MemoryLayout<spar_logp_args>.size)
    args.logits = input(logits)
    args.lse = slot(lse)
    args.inv_temperature = inverseTemperature
    return args
  }

  /// y = value, everywhere.
  public func fill(_ y: Tensor, _ value: Double) throws(ComputeError) {
    let function = api.fill
    var place = y.c
    try call(
      "fill",
      function.map { function in { function($0, UnsafeMutablePointer(mutating: $1), value) } },
      &place,
      twin: { (y) throws(ReferenceGap) in
        try withUnsafePointer(to: y) { (y) throws(ReferenceGap) in try Reference.fill(y, value) }
      })
  }
}
