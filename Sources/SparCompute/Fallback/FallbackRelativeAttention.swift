import CSparKernels
import CSparPlugin
import SparTensor

/// Attention with relative positions as products of the plugin: those of attention, and a block of
/// queries and all keys of its span with the tables, which the kernels add along the diagonals.
extension Fallback {
  /// A call as plain attention, and the tables.
  struct RelativeCall {
    var plain = spar_attention_args()
    let shape: AttentionShape
    let keyTable, queryTable: HeadRows?
    /// R.
    let rows: Int
    private let distances: [Int32]
    private let most: Int

    init(_ args: spar_rel_attention_args) throws(ReferenceGap) {
      plain.flags = args.flags & UInt64(SPAR_ACCUMULATE)
      (plain.q, plain.k, plain.v) = (args.q, args.k, args.v)
      (plain.q_begin, plain.q_len, plain.k_begin, plain.k_len) =
        (args.begin, args.len, args.begin, args.len)
      (plain.n_seq, plain.scale) = (args.n_seq, args.scale)
      shape = try AttentionShape(plain)
      (keyTable, queryTable) = try Self.tables(args)
      rows = Int(args.pk?.pointee.shape.0 ?? args.pq?.pointee.shape.0 ?? 0)
      guard shape.share == 1, let bucket = args.bucket else {
        throw ReferenceGap(what: "rel_attention with shared heads, or without buckets")
      }
      most = 256 + ((0..<Int(args.n_seq)).map { Int(args.len[$0]) }.max() ?? 0)
      var distances = [Int32](repeating: 0, count: 4 * most + 2)
      let side = most
      distances.withUnsafeMutableBufferPointer { buffer in
        let up = buffer.baseAddress.map { $0 + side }
        spar_relative_rows(bucket, args.reach, Int64(side), up, up.map { $0 + 2 * side + 1 })
      }
      self.distances = distances
    }

    @inline(never)
    private static func tables(
      _ args: spar_rel_attention_args
    ) throws(ReferenceGap) -> (HeadRows?, HeadRows?) {
      var (keyTable, queryTable): (HeadRows?, HeadRows?)
      if args.pk != nil { keyTable = try HeadRows(args.pk) }
      if args.pq != nil { queryTable = try HeadRows(args.pq) }
      return (keyTable, queryTable)
    }

    /// Floats between products with a table: the rows, and vectors behind them.
    var step: Int { (rows + 15) / 16 * 16 + 16 }

    /// The kernels' view of head `h` of a block.
    func view(
      _ block: AttentionBlock, width: Int, byQuery: Tensor?, byKey: Tensor?, head h: Int,
      _ body: (UnsafePointer<spar_relative>) -> Void
    ) {
      distances.withUnsafeBufferPointer { buffer in
        let up = buffer.baseAddress.map { $0 + most }
        let query = byQuery.map { $0.floats + h * width * step + rows - 1 }
        let key = byKey.map { $0.floats + h * block.keys * step }
        var view = spar_relative(
          keys: Int64(block.keys), width: Int64(width),
          first: Int64(block.query - block.runs[0].row),
          up: up, down: up.map { $0 + 2 * most + 1 }, by_query: query, by_key: key,
          query_step: Int64(step), key_step: Int64(step))
        body(&view)
      }
    }

    /// Products of each head's `lines` rows with the table: [H, count, R] in lines `step` apart.
    func products(_ s: Tensor, lines: Int, count: Int) -> FloatView {
      FloatView(
        base: s.floats, shape: [shape.groups, count, rows], stride: [lines * step, step, 1])
    }

    func table(_ t: HeadRows) -> FloatView {
      FloatView(base: t.base, shape: [shape.groups, rows, t.size], stride: [t.head, t.row, 1])
    }
  }

  /// The table's rows from the last to the first: what queries see of ascending keys.
  func reversed(_ table: HeadRows, rows: Int) -> (Tensor, FloatView) {
    let copy = scratch(rows * table.heads * table.size)
    for h in 0..<table.heads {
      for row in 0..<rows {
        (copy.floats + (h * rows + row) * table.size)
          .update(from: table.at(rows - 1 - row, h), count: table.size)
      }
    }
    let view = FloatView(
      base: copy.floats, shape: [table.heads, rows, table.size],
      stride: [rows * table.size, table.size, 1])
    return (copy, view)
  }

  /// A block's queries (or its span's keys) as [H, count, D].
  func lines(_ h: HeadRows, from row: Int, _ count: Int) -> FloatView {
    FloatView(
      base: h.base + row * h.row, shape: [h.heads, count, h.size], stride: [h.head, h.row, 1])
  }

  /// The scores of a block with positions; the products stay in `byQuery` and `byKey`.
  func relativeScores(
    _ block: AttentionBlock, _ call: RelativeCall, width: Int, into s: Tensor,
    reversedKeys: FloatView?, byQuery: Tensor?, byKey: Tensor?
  ) throws(ReferenceGap) {
    let shape = call.shape
    try scores(block, shape, keys: shape.k, queries: shape.q, into: s, width: width)
    if let byQuery, let reversedKeys {
      try product(
        lines(shape.q, from: block.query, block.count), reversedKeys, transposeB: true,
        into: call.products(byQuery, lines: width, count: block.count))
    }
    if let byKey, let table = call.queryTable {
      try product(
        lines(shape.k, from: block.runs[0].row, block.keys), call.table(table), transposeB: true,
        into: call.products(byKey, lines: block.keys, count: block.keys))
    }
    parallel(shape.q.heads) { range in
      for h in range {
        call.view(block, width: width, byQuery: byQuery, byKey: byKey, head: h) {
          k.pointee.relative_add($0, s.floats + h * block.keys * width)
        }
      }
    }
  }

  func relativeAttention(_ args: spar_rel_attention_args) throws(ReferenceGap) {
    let call = try RelativeCall(args)
    let (o, lse) = (try HeadRows(args.o), try Rows(args.lse))
    let (shape, heads) = (call.shape, call.shape.q.heads)
    let turned = call.keyTable.map { reversed($0, rows: call.rows) }
    try forEachBlock(call.plain, shape) { (block, width) throws(ReferenceGap) in
      let s = scratch(heads * block.keys * width)
      let byQuery = turned.map { _ in scratch(heads * width * call.step) }
      let byKey = call.queryTable.map { _ in scratch(heads * block.keys * call.step) }
      try relativeScores(
        block, call, width: width, into: s, reversedKeys: turned?.1, byQuery: byQuery,
        byKey: byKey)
      let sums = scratch(2 * heads * width)
      let (total, inverse) = (sums.floats, sums.floats + heads * width)
      parallel(heads) { range in
        for h in range {
          block.columns(call.plain, width: width) {
            k.pointee.attend(
              $0, s.floats + h * block.keys * width, total + h * width, inverse + h * width)
          }
        }
      }
      try product(
        scoreView(s, block, shape, at: 0, count: block.keys, width: width), transposeA: true,
        shape.v.batch(block.runs[0].row, block.keys, groups: heads, share: 1, shared: true),
        into: o.batch(block.query, block.count, groups: heads, share: 1, shared: false))
      for i in 0..<block.count {
        for h in 0..<heads {
          let row = o.at(block.query + i, h)
          k.pointee.scale(Int64(o.size), inverse[h * width + i], row, row)
          lse[block.query + i][h] = total[h * width + i]
        }
      }
    }
  }
}
