import CSparPlugin
import SparTensor

/// The projected tables of relative positions of one layer, [R, H, D] each; nil: without that term.
public struct PositionTables: Sendable {
  /// Multiplied by queries ("content to position").
  public var keys: Tensor?
  /// Multiplied by keys ("position to content").
  public var queries: Tensor?

  public init(keys: Tensor?, queries: Tensor?) {
    self.keys = keys
    self.queries = queries
  }
}

extension Backend {
  /// o = attention of q, k, v [T, H, D] with scores that also depend on distance; lse [T, H].
  public func relativeAttention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ tables: PositionTables,
    _ positions: RelativePositions, scale: Double, into o: Tensor, lse: Tensor
  ) throws(ComputeError) {
    var args = relativeArgs(q, k, v, tables, o: o, lse: lse, positions, scale)
    try placing(positions, &args) { (args) throws(ComputeError) in
      try call(
        "rel_attention", api.rel_attention, &args, fast: fallback?.relativeAttention,
        twin: Reference.relativeAttention)
    }
  }

  /// Writes every gradient; those of the tables where there are tables.
  public func relativeAttentionBackward(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ tables: PositionTables, o: Tensor, lse: Tensor,
    dO: Tensor, _ positions: RelativePositions, scale: Double, dq: Tensor, dk: Tensor, dv: Tensor,
    dTables: PositionTables
  ) throws(ComputeError) {
    var args = relativeArgs(q, k, v, tables, o: o, lse: lse, positions, scale)
    args.d_o = input(dO)
    args.dq = slot(dq)
    args.dk = slot(dk)
    args.dv = slot(dv)
    args.dpk = slot(dTables.keys)
    args.dpq = slot(dTables.queries)
    try placing(positions, &args) { (args) throws(ComputeError) in
      try call(
        "rel_attention_bwd", api.rel_attention_bwd, &args,
        fast: fallback?.relativeAttentionBackward, twin: Reference.relativeAttentionBackward)
    }
  }

  private func relativeArgs(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ tables: PositionTables, o: Tensor, lse: Tensor,
    _ positions: RelativePositions, _ scale: Double
  ) -> spar_rel_attention_args {
    var args = spar_rel_attention_args()
    args.struct_size = UInt64(MemoryLayout<spar_rel_attention_args>.size)
    args.q = input(q)
    args.k = input(k)
    args.v = input(v)
    args.pk = input(tables.keys)
    args.pq = input(tables.queries)
    args.o = slot(o)
    args.lse = slot(lse)
    args.n_seq = Int64(positions.spans.count)
    args.reach = Int64(positions.reach)
    args.scale = scale
    return args
  }

  /// Lends the arrays of `positions` to the call in `body`.
  private func placing(
    _ positions: RelativePositions, _ args: inout spar_rel_attention_args,
    _ body: (inout spar_rel_attention_args) throws(ComputeError) -> Void
  ) throws(ComputeError) {
    try positions.packed.withUnsafeBufferPointer { (packed) throws(ComputeError) in
      try positions.buckets.withUnsafeBufferPointer { (buckets) throws(ComputeError) in
        args.begin = packed.baseAddress
        args.len = packed.baseAddress.map { $0 + positions.spans.count }
        args.bucket = buckets.baseAddress
        try body(&args)
      }
    }
  }
}
