import SparTensor

/// Keys and values of one layer that earlier calls computed: [slots, Hkv, D] each.
public struct LayerCache: Sendable {
  public let keys: Tensor
  public let values: Tensor

  public init(keys: Tensor, values: Tensor) {
    self.keys = keys
    self.values = values
  }
}

extension Graph {
  /// Causal attention of q [T, H D] over k, v [T, Hkv D]: [T, H D].
  ///
  /// With a cache, k and v of row t are first stored in `slots[t]`, and the spans' keys and prefix
  /// count cache slots; without one they count rows of k and v.  Caches are for inference only.
  public func attention(
    q: Variable, k: Variable, v: Variable, heads: Int, keyHeads: Int, _ spans: AttentionSpans,
    _ shape: AttentionScale, cache: LayerCache? = nil, slots: [Int32] = []
  ) throws(ComputeError) -> Variable {
    let rows = q.value.shape[0]
    let size = q.value.shape[1] / heads
    let qHeads = q.value.reshaped([rows, heads, size])
    var kHeads = k.value.reshaped([rows, keyHeads, size])
    var vHeads = v.value.reshaped([rows, keyHeads, size])
    if let cache {
      precondition(!isRecording, "a cached forward pass is not differentiable")
      try backend.scatterRows(kHeads, to: slots, of: cache.keys)
      try backend.scatterRows(vHeads, to: slots, of: cache.values)
      kHeads = cache.keys
      vHeads = cache.values
    }
    let o = Variable(backend.tensor(q.value.shape))
    let oHeads = o.value.reshaped([rows, heads, size])
    let lse = backend.tensor([rows, heads])
    try backend.attention(qHeads, kHeads, vHeads, spans, shape, into: oHeads, lse: lse)
    record { [self, kHeads, vHeads] () throws(ComputeError) in
      guard let dO = o.takeGradient() else { return }
      let dq = backend.tensor(q.value.shape)
      let dk = backend.tensor(k.value.shape)
      let dv = backend.tensor(v.value.shape)
      try backend.attentionBackward(
        qHeads, kHeads, vHeads, o: oHeads, lse: lse, dO: dO.reshaped([rows, heads, size]), spans,
        shape, dq: dq.reshaped([rows, heads, size]), dk: dk.reshaped([rows, keyHeads, size]),
        dv: dv.reshaped([rows, keyHeads, size]))
      try give(dq, to: q)
      try give(dk, to: k)
      try give(dv, to: v)
    }
    return o
  }

  /// Log-probabilities [T] of `targets` under softmax(h weight^T), in nats, without logits.
  ///
  /// `entropy` and `sumOfSquares` [T], where given, are filled for each row's distribution; nothing
  /// is differentiated through them.
  public func linearLogp(
    _ h: Variable, _ weight: Parameter, targets: [Int32], softcap: Double = 0,
    entropy: Tensor? = nil, sumOfSquares: Tensor? = nil
  ) throws(ComputeError) -> Variable {
    let logp = Variable(backend.tensor([targets.count]))
    let lse = backend.tensor([targets.count])
    try backend.linearLogp(
      h.value, weight: weight.value, targets: targets, logp: logp.value, lse: lse,
      entropy: entropy, sumOfSquares: sumOfSquares, softcap: softcap)
    record { [self] () throws(ComputeError) in
      guard let coef = logp.takeGradient() else { return }
      let (dh, write) = try gradientTarget(h)
      try backend.linearLogpBackward(
        h.value, weight: weight.value, targets: targets, lse: lse, coef: coef, softcap: softcap,
        dh: dh, write: write, dweight: weight.gradient)
    }
    return logp
  }
}
