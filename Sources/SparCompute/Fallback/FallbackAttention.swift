import CSparKernels
import CSparPlugin
import SparTensor

/// Attention as products of the plugin: scores [H, keys, queries] of a block of queries at a time,
/// the softmax down their columns between two batched products.
extension Fallback {
  struct AttentionShape {
    let q, k, v: HeadRows
    let groups: Int
    let share: Int

    init(_ args: spar_attention_args) throws(ReferenceGap) {
      (q, k, v) = (try HeadRows(args.q), try HeadRows(args.k), try HeadRows(args.v))
      guard k.heads > 0, q.heads % k.heads == 0, args.q_begin != nil, args.q_len != nil,
        args.k_begin != nil, args.k_len != nil
      else { throw ReferenceGap(what: "these heads, or attention without spans") }
      groups = k.heads
      share = q.heads / k.heads
    }

    /// Queries at once for spans that see `keys` keys: about 8 MiB of scores.
    func blockRows(_ keys: Int) -> Int {
      max(16, min(128, (1 << 21) / max(1, q.heads * keys) / 16 * 16))
    }
  }

  /// Every block of every span that has at least `fewest` queries.
  func forEachBlock(
    _ args: spar_attention_args, _ shape: AttentionShape, fewest: Int = 1,
    _ body: (AttentionBlock, Int) throws(ReferenceGap) -> Void
  ) throws(ReferenceGap) {
    for s in 0..<Int(args.n_seq) {
      let queries = Int(args.q_len?[s] ?? 0)
      guard queries >= fewest else { continue }
      let prefix = args.prefix_begin == nil ? 0 : Int(args.prefix_len?[s] ?? 0)
      let step = shape.blockRows(prefix + Int(args.k_len?[s] ?? 0))
      for begin in stride(from: 0, to: queries, by: step) {
        let range = begin..<min(queries, begin + step)
        let width = Self.paddedWidth(range.count)
        try body(AttentionBlock(args, span: s, range: range, width: width), width)
      }
    }
  }

  /// scores[h][key][query] = rows of `keys` . rows of `queries`, for each run of the block's keys.
  func scores(
    _ block: AttentionBlock, _ shape: AttentionShape, keys: HeadRows, queries: HeadRows,
    into s: Tensor, width: Int
  ) throws(ReferenceGap) {
    let (groups, share) = (shape.groups, shape.share)
    for run in block.runs {
      try product(
        keys.batch(run.row, run.count, groups: groups, share: share, shared: true),
        queries.batch(block.query, block.count, groups: groups, share: share, shared: false),
        transposeB: true,
        into: scoreView(s, block, shape, at: run.at, count: run.count, width: width))
    }
  }

  /// Keys [at, at + count) of the scores of all heads: [groups, share, count, queries].
  func scoreView(
    _ s: Tensor, _ block: AttentionBlock, _ shape: AttentionShape, at: Int, count: Int, width: Int
  ) -> FloatView {
    let plane = block.keys * width
    return FloatView(
      base: s.floats + at * width, shape: [shape.groups, shape.share, count, block.count],
      stride: [shape.share * plane, plane, width, 1])
  }

  /// The least number of queries for which a product pays; decoding has fewer.
  private static let fewest = 5

  func attention(_ args: spar_attention_args) throws(ReferenceGap) {
    let shape = try AttentionShape(args)
    let (o, lse) = (try HeadRows(args.o), try Rows(args.lse))
    attendFew(args, shape, o, lse)
    try forEachBlock(args, shape, fewest: Self.fewest) { (block, width) throws(ReferenceGap) in
      let heads = shape.q.heads
      let s = scratch(heads * block.keys * width)
      try scores(block, shape, keys: shape.k, queries: shape.q, into: s, width: width)
      let sums = scratch(2 * heads * width)
      let (total, inverse) = (sums.floats, sums.floats + heads * width)
      parallel(heads) { range in
        for h in range {
          block.columns(args, width: width) {
            k.pointee.attend(
              $0, s.floats + h * block.keys * width, total + h * width, inverse + h * width)
          }
        }
      }
      let out = o.batch(
        block.query, block.count, groups: shape.groups, share: shape.share, shared: false)
      for run in block.runs {
        try product(
          scoreView(s, block, shape, at: run.at, count: run.count, width: width),
          transposeA: true,
          shape.v.batch(
            run.row, run.count, groups: shape.groups, share: shape.share, shared: true),
          into: out, beta: run.at == 0 ? 0 : 1)
      }
      for i in 0..<block.count {
        for h in 0..<heads {
          let row = o.at(block.query + i, h)
          if block.keys == 0 { row.update(repeating: 0, count: o.size) }
          k.pointee.scale(Int64(o.size), inverse[h * width + i], row, row)
          lse[block.query + i][h] = total[h * width + i]
        }
      }
    }
  }

  /// Spans of few queries: keys are read once where they lie, a task per span and key head.
  private func attendFew(
    _ args: spar_attention_args, _ shape: AttentionShape, _ o: HeadRows, _ lse: Rows
  ) {
    let spans = (0..<Int(args.n_seq)).filter {
      (1..<Self.fewest).contains(Int(args.q_len?[$0] ?? 0))
    }
    parallel(spans.count * shape.groups) { range in
      for task in range {
        let span = spans[task / shape.groups]
        for i in 0..<Int(args.q_len?[span] ?? 0) {
          // The kernels take up to 8 queries: the heads that share this key head.
          for member in stride(from: 0, to: shape.share, by: 8) {
            let heads = task % shape.groups * shape.share + member
            attendRow(
              AttentionBlock(args, span: span, range: i..<i + 1, width: 1), args, shape, o, lse,
              heads: heads..<heads + min(8, shape.share - member))
          }
        }
      }
    }
  }

  /// One query row under up to 8 heads of one group.
  private func attendRow(
    _ block: AttentionBlock, _ args: spar_attention_args, _ shape: AttentionShape, _ o: HeadRows,
    _ lse: Rows, heads: Range<Int>
  ) {
    let (size, lanes, group) = (shape.q.size, heads.count, heads.lowerBound / shape.share)
    let step = Self.paddedWidth(block.keys)
    let memory = scratch(lanes * (2 * size + step) + 16)
    let q = memory.floats
    let out = q + lanes * size
    let s = out + lanes * size
    for (l, h) in heads.enumerated() {
      (q + l * size).update(from: shape.q.at(block.query, h), count: size)
    }
    for run in block.runs {
      let rows = shape.k.at(run.row, group)
      if k.pointee.few_scores != nil, size % Int(k.pointee.lanes) == 0 {
        k.pointee.few_scores(
          Int64(run.count), Int64(lanes), Int64(size), q, Int64(shape.k.row), rows, Int64(step),
          s + run.at)
      } else {
        for l in 0..<lanes {
          for key in 0..<run.count {
            s[l * step + run.at + key] = k.pointee.dot(
              Int64(size), q + l * size, rows + key * shape.k.row)
          }
        }
      }
    }
    var sums = (lse: [Float](repeating: 0, count: 8), inverse: [Float](repeating: 0, count: 8))
    let first = [Int32](repeating: block.first[0], count: 8)
    let end = [Int32](repeating: block.end[0], count: 8)
    first.withUnsafeBufferPointer { first in
      end.withUnsafeBufferPointer { end in
        var columns = spar_columns(
          keys: Int64(block.keys), width: 0, first: first.baseAddress, end: end.baseAddress,
          scale: Float(args.scale), softcap: Float(args.softcap))
        k.pointee.few_attend(&columns, Int64(lanes), Int64(step), s, &sums.lse, &sums.inverse)
      }
    }
    out.update(repeating: 0, count: lanes * size)
    for run in block.runs {
      k.pointee.few_rows(
        Int64(run.count), Int64(lanes), Int64(step), s + run.at, Int64(size),
        Int64(shape.v.row), shape.v.at(run.row, group), run.at > 0 ? 1 : 0, out)
    }
    for (l, h) in heads.enumerated() {
      k.pointee.scale(Int64(size), sums.inverse[l], out + l * size, o.at(block.query, h))
      lse[block.query][h] = sums.lse[l]
    }
  }
}
