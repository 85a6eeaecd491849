import CSparPlugin
import SparTensor

extension Backend {
  /// Log-probabilities of targets [T] under softmax(h weight^T): h [T, C], weight [V, C],
  /// logp and lse [T] in nats.  The logits never exist as a whole.
  public func linearLogp(
    _ h: Tensor, weight: Tensor, targets: [Int32], logp: Tensor, lse: Tensor,
    entropy: Tensor? = nil, sumOfSquares: Tensor? = nil, softcap: Double = 0
  ) throws(ComputeError) {
    var args = spar_linear_logp_args()
    args.struct_size = UInt64(MemoryLayout<spar_linear_logp_args>.size)
    args.h = input(h)
    args.weight = input(weight)
    args.logp = slot(logp)
    args.lse = slot(lse)
    args.entropy = slot(entropy)
    args.sum_p2 = slot(sumOfSquares)
    args.inv_temperature = 1
    args.softcap = softcap
    try targets.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.targets = buffer.baseAddress
      try call(
        "linear_logp", api.linear_logp, &args, fast: fallback?.linearLogp,
        twin: Reference.linearLogp)
    }
  }

  /// lse[t] = log Σ exp(logits[t] * inverseTemperature); logits [T, V], lse [T].
  public func logSumExp(
    _ logits: Tensor, inverseTemperature: Double, into lse: Tensor
  ) throws(ComputeError) {
    let rows = logits.shape[0]
    // Any target will do: a negative one would skip the row.
    try logp(
      logits, targets: [Int32](repeating: 0, count: rows), inverseTemperature: inverseTemperature,
      logp: tensor([rows]), lse: lse)
  }

  /// coef [T] = d loss / d logp; dh is written or added to, dweight always added to.
  public func linearLogpBackward(
    _ h: Tensor, weight: Tensor, targets: [Int32], lse: Tensor, coef: Tensor, softcap: Double = 0,
    dh: Tensor, write: Write, dweight: Tensor?
  ) throws(ComputeError) {
    var args = spar_linear_logp_args()
    args.struct_size = UInt64(MemoryLayout<spar_linear_logp_args>.size)
    args.flags = write == .accumulate ? UInt64(SPAR_ACCUMULATE) : 0
    args.h = input(h)
    args.weight = input(weight)
    args.lse = slot(lse)
    args.coef = input(coef)
    args.dh = slot(dh)
    args.dweight = slot(dweight)
    args.inv_temperature = 1
    args.softcap = softcap
    try targets.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.targets = buffer.baseAddress
      try call(
        "linear_logp_bwd", api.linear_logp_bwd, &args, fast: fallback?.linearLogpBackward,
        twin: Reference.linearLogpBackward)
    }
  }
}
