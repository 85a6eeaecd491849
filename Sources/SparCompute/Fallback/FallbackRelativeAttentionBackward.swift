import CSparKernels
import CSparPlugin
import SparTensor

extension Fallback {
  /// As `attentionBackward`, and for the tables the sums G of dS over all pairs of one row:
  ///
  ///     dQ += G PK;  dPK += Gᵀ Q;  dK += G' PQ;  dPQ += G'ᵀ K
  ///
  /// G by query and row, G' by key and row: what the kernels fold dS into.
  func relativeAttentionBackward(_ args: spar_rel_attention_args) throws(ReferenceGap) {
    let call = try RelativeCall(args)
    let shape = call.shape
    let (o, dO, lse) = (try HeadRows(args.o), try HeadRows(args.d_o), try Rows(args.lse))
    let (dq, dk, dv) = (try HeadRows(args.dq), try HeadRows(args.dk), try HeadRows(args.dv))
    var dKeyTable: HeadRows?
    var dQueryTable: HeadRows?
    if call.keyTable != nil { dKeyTable = try HeadRows(args.dpk) }
    if call.queryTable != nil { dQueryTable = try HeadRows(args.dpq) }
    if args.flags & UInt64(SPAR_ACCUMULATE) == 0 {
      clear(dq, args.dq)
      clear(dk, args.dk)
      clear(dv, args.dv)
      if let dKeyTable { clear(dKeyTable, args.dpk) }
      if let dQueryTable { clear(dQueryTable, args.dpq) }
    }
    let turned = call.keyTable.map { reversed($0, rows: call.rows) }
    let dTurned = turned.map { turned in
      let sum = scratch(turned.0.count)
      sum.zero()
      return (sum, FloatView(base: sum.floats, shape: turned.1.shape, stride: turned.1.stride))
    }
    try forEachBlock(call.plain, shape) { (block, width) throws(ReferenceGap) in
      let heads = shape.q.heads
      let (p, ds) = (
        scratch(heads * block.keys * width), scratch(heads * block.keys * width)
      )
      let byQuery = turned.map { _ in scratch(heads * width * call.step) }
      let byKey = call.queryTable.map { _ in scratch(heads * block.keys * call.step) }
      try relativeScores(
        block, call, width: width, into: p, reversedKeys: turned?.1, byQuery: byQuery,
        byKey: byKey)
      try scores(block, shape, keys: shape.v, queries: dO, into: ds, width: width)
      // The products are used up: their memory takes the folded dS.
      byQuery?.zero()
      byKey?.zero()
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
          block.columns(call.plain, width: width) {
            k.pointee.attend_bwd(
              $0, p.floats + plane, ds.floats + plane, total + h * width, delta + h * width)
          }
          call.view(block, width: width, byQuery: byQuery, byKey: byKey, head: h) {
            k.pointee.relative_fold($0, ds.floats + plane)
          }
        }
      }
      let keyRow = block.runs[0].row
      let weights = scoreView(p, block, shape, at: 0, count: block.keys, width: width)
      let slopes = scoreView(ds, block, shape, at: 0, count: block.keys, width: width)
      let queries = lines(shape.q, from: block.query, block.count)
      let keys = lines(shape.k, from: keyRow, block.keys)
      let (dQueries, dKeys) = (
        lines(dq, from: block.query, block.count), lines(dk, from: keyRow, block.keys)
      )
      try product(
        weights.members, lines(dO, from: block.query, block.count),
        into: lines(dv, from: keyRow, block.keys), beta: 1)
      try product(slopes.members, queries, into: dKeys, beta: 1)
      try product(slopes.members, transposeA: true, keys, into: dQueries, beta: 1)
      if let byQuery, let turned, let dTurned {
        let folded = call.products(byQuery, lines: width, count: block.count)
        try product(folded, turned.1, into: dQueries, beta: 1)
        try product(folded, transposeA: true, queries, into: dTurned.1, beta: 1)
      }
      if let byKey, let table = call.queryTable, let dQueryTable {
        let folded = call.products(byKey, lines: block.keys, count: block.keys)
        try product(folded, call.table(table), into: dKeys, beta: 1)
        try product(folded, transposeA: true, keys, into: call.table(dQueryTable), beta: 1)
      }
    }
    if let dTurned, let dKeyTable {
      for h in 0..<dKeyTable.heads {
        for row in 0..<call.rows {
          let from = dTurned.0.floats + (h * call.rows + call.rows - 1 - row) * dKeyTable.size
          k.pointee.add(Int64(dKeyTable.size), from, dKeyTable.at(row, h))
        }
      }
    }
  }

  private func clear(_ out: HeadRows, _ tensor: UnsafeMutablePointer<spar_tensor>?) {
    for t in 0..<Int(tensor?.pointee.shape.0 ?? 0) {
      for h in 0..<out.heads { out.at(t, h).update(repeating: 0, count: out.size) }
    }
  }
}

extension FloatView {
  /// [groups, 1, rows, columns] as [groups, rows, columns].
  fileprivate var members: FloatView {
    FloatView(
      base: base, shape: [shape[0], shape[2], shape[3]], stride: [stride[0], stride[2], stride[3]])
  }
}
