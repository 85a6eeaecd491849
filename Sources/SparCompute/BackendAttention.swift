import CSparPlugin
import SparTensor

/// How scores become weights: softmax(softcap(scale q k)).
public struct AttentionScale: Equatable, Sendable {
  public var scale: Double
  /// 0 = unlimited.
  public var window: Int
  /// 0 = off.
  public var softcap: Double

  public init(scale: Double, window: Int = 0, softcap: Double = 0) {
    self.scale = scale
    self.window = window
    self.softcap = softcap
  }
}

extension Backend {
  private func attentionArgs(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, o: Tensor, lse: Tensor, _ spans: AttentionSpans,
    _ shape: AttentionScale
  ) -> spar_attention_args {
    var args = spar_attention_args()
    args.struct_size = UInt64(MemoryLayout<spar_attention_args>.size)
    args.flags = UInt64(SPAR_CAUSAL)
    args.q = input(q)
    args.k = input(k)
    args.v = input(v)
    args.o = slot(o)
    args.lse = slot(lse)
    args.n_seq = Int64(spans.spans.count)
    args.window = Int64(shape.window)
    args.scale = shape.scale
    args.softcap = shape.softcap
    return args
  }

  private func place(
    _ spans: AttentionSpans, _ base: UnsafePointer<Int64>?, _ args: inout spar_attention_args
  ) {
    guard let base else { return }
    let n = spans.spans.count
    args.q_begin = base
    args.q_len = base + n
    args.k_begin = base + 2 * n
    args.k_len = base + 3 * n
    args.prefix_begin = base + 4 * n
    args.prefix_len = base + 5 * n
  }

  /// o = attention of q [Tq, H, D] over k, v [Tk, Hkv, D], causal; lse [Tq, H].
  public func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ spans: AttentionSpans, _ shape: AttentionScale,
    into o: Tensor, lse: Tensor
  ) throws(ComputeError) {
    var args = attentionArgs(q, k, v, o: o, lse: lse, spans, shape)
    try spans.packed.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      place(spans, buffer.baseAddress, &args)
      try call(
        "attention", api.attention, &args, fast: fallback?.attention, twin: Reference.attention)
    }
  }

  public func attentionBackward(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, o: Tensor, lse: Tensor, dO: Tensor,
    _ spans: AttentionSpans, _ shape: AttentionScale, dq: Tensor, dk: Tensor, dv: Tensor
  ) throws(ComputeError) {
    var args = attentionArgs(q, k, v, o: o, lse: lse, spans, shape)
    args.d_o = input(dO)
    args.dq = slot(dq)
    args.dk = slot(dk)
    args.dv = slot(dv)
    try spans.packed.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      place(spans, buffer.baseAddress, &args)
      try call(
        "attention_bwd", api.attention_bwd, &args, fast: fallback?.attentionBackward,
        twin: Reference.attentionBackward)
    }
  }
}
