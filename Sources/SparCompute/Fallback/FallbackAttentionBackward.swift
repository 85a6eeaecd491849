import CSparKernels
import CSparPlugin
import SparTensor

extension Fallback {
  /// Probabilities are computed again from the scores and lse:
  ///
  ///     dV += P^T dO;  dP = dO V^T;  dS = P (dP - rowsum(dO O));  dQ += dS K;  dK += dS^T Q
  ///
  /// all of them batched products of the plugin but the step from dP to dS.
  func attentionBackward(_ args: spar_attention_args) throws(ReferenceGap) {
    let shape = try AttentionShape(args)
    let (o, dO) = (try HeadRows(args.o), try HeadRows(args.d_o))
    let (dq, dk, dv) = (try HeadRows(args.dq), try HeadRows(args.dk), try HeadRows(args.dv))
    let lse = try Rows(args.lse)
    if args.flags & UInt64(SPAR_ACCUMULATE) == 0 {
      for (out, tensor) in [(dq, args.dq), (dk, args.dk), (dv, args.dv)] {
        for t in 0..<Int(tensor?.pointee.shape.0 ?? 0) {
          for h in 0..<out.heads { out.at(t, h).update(repeating: 0, count: out.size) }
        }
      }
    }
    try forEachBlock(args, shape) { (block, width) throws(ReferenceGap) in
      let heads = shape.q.heads
      let p = scratch(heads * block.keys * width)
      let ds = scratch(heads * block.keys * width)
      try scores(block, shape, keys: shape.k, queries: shape.q, into: p, width: width)
      try scores(block, shape, keys: shape.v, queries: dO, into: ds, width: width)
      let sums = scratch(2 * heads * width)
      sums.zero()
      let (total, delta) = (sums.floats, sums.floats + heads * width)
      parallel(heads) { range in
        for h in range {
          for i in 0..<block.count {
            let row = block.query + i
            total[h * width + i] = lse[row][h]
            delta[h * width + i] = k.pointee.dot(Int64(o.size), dO.at(row, h), o.at(row, h))
          }
          let plane = h * block.keys * width
          block.columns(args, width: width) {
            k.pointee.attend_bwd(
              $0, p.floats + plane, ds.floats + plane, total + h * width, delta + h * width)
          }
        }
      }
      for run in block.runs {
        try product(
          scoreView(ds, block, shape, at: run.at, count: run.count, width: width),
          transposeA: true,
          shape.k.batch(
            run.row, run.count, groups: shape.groups, share: shape.share, shared: true),
          into: dq.batch(
            block.query, block.count, groups: shape.groups, share: shape.share, shared: false),
          beta: 1)
        try addKeys(p, dO, into: dv, block, run, shape, width: width)
        try addKeys(ds, shape.q, into: dk, block, run, shape, width: width)
      }
    }
  }

  /// d[key] += Σ queries s[key][query] rows[query], the heads of a group one after another: they
  /// share the key's head.
  private func addKeys(
    _ s: Tensor, _ rows: HeadRows, into d: HeadRows, _ block: AttentionBlock,
    _ run: (row: Int, at: Int, count: Int), _ shape: AttentionShape, width: Int
  ) throws(ReferenceGap) {
    let plane = block.keys * width
    for g in 0..<shape.share {
      try product(
        FloatView(
          base: s.floats + g * plane + run.at * width,
          shape: [shape.groups, run.count, block.count],
          stride: [shape.share * plane, width, 1]),
        rows.member(g, block.query, block.count, groups: shape.groups, share: shape.share),
        into: d.member(0, run.row, run.count, groups: shape.groups, share: 1), beta: 1)
    }
  }
}
