import CSparPlugin
import Glibc

/// Attention with relative positions by its formula, one pair of rows at a time.
extension Reference {
  /// The tensors of a call, and who sees whom at which row of the tables.
  private struct RelativeCall {
    let q, k, v: Heads
    let keyTable, queryTable: Heads?
    let args: spar_rel_attention_args

    // A function, since the optimiser of Swift 6.3.1 loses the error of an initialiser like this.
    @inline(never)
    static func reading(_ args: spar_rel_attention_args) throws(ReferenceGap) -> RelativeCall {
      guard args.begin != nil, args.len != nil, args.bucket != nil else {
        throw ReferenceGap(what: "rel_attention without spans or buckets")
      }
      let q = try Heads(args.q)
      let k = try Heads(args.k)
      let v = try Heads(args.v)
      var keyTable: Heads?
      var queryTable: Heads?
      if args.pk != nil { keyTable = try Heads(args.pk) }
      if args.pq != nil { queryTable = try Heads(args.pq) }
      return RelativeCall(
        q: q, k: k, v: v, keyTable: keyTable, queryTable: queryTable, args: args)
    }

    func forEachSpan(_ body: (Range<Int>) -> Void) {
      for s in 0..<Int(args.n_seq) {
        let begin = Int(args.begin[s])
        body(begin..<begin + Int(args.len[s]))
      }
    }

    func bucket(_ i: Int, _ j: Int) -> Int {
      let reach = Int(args.reach)
      return Int(args.bucket[reach + max(-reach, min(reach, i - j))])
    }

    func score(_ i: Int, _ j: Int, _ h: Int) -> Double {
      var sum = dot(q.at(i, h), k.at(j, h), q.size)
      if let keyTable { sum += dot(q.at(i, h), keyTable.at(bucket(i, j), h), q.size) }
      if let queryTable { sum += dot(k.at(j, h), queryTable.at(bucket(i, j), h), q.size) }
      return args.scale * sum
    }
  }

  @inline(never)
  static func relativeAttention(_ args: spar_rel_attention_args) throws(ReferenceGap) {
    let call = try RelativeCall.reading(args)
    let (o, lse) = (try Heads(args.o), try Rows(args.lse))
    call.forEachSpan { span in
      for i in span {
        for h in 0..<call.q.heads {
          let scores = span.map { call.score(i, $0, h) }
          let top = scores.max() ?? 0
          let sum = scores.reduce(0) { $0 + exp($1 - top) }
          for d in 0..<o.size {
            var value = 0.0
            for (score, j) in zip(scores, span) {
              value += exp(score - top) * Double(call.v.at(j, h)[d])
            }
            o.at(i, h)[d] = Float(value / sum)
          }
          lse[i][h] = Float(top + log(sum))
        }
      }
    }
  }

  @inline(never)
  static func relativeAttentionBackward(_ args: spar_rel_attention_args) throws(ReferenceGap) {
    let call = try RelativeCall.reading(args)
    let (q, k, v) = (call.q, call.k, call.v)
    let (o, dO, lse) = (try Heads(args.o), try Heads(args.d_o), try Rows(args.lse))
    let (dq, dk, dv) = (try Heads(args.dq), try Heads(args.dk), try Heads(args.dv))
    var dKeyTable: Heads?
    var dQueryTable: Heads?
    if call.keyTable != nil { dKeyTable = try Heads(args.dpk) }
    if call.queryTable != nil { dQueryTable = try Heads(args.dpq) }
    if args.flags & UInt64(SPAR_ACCUMULATE) == 0 {
      for out in [dq, dk, dv, dKeyTable, dQueryTable].compactMap(\.self) {
        for row in 0..<out.rows.count { out.rows[row].update(repeating: 0, count: out.rows.width) }
      }
    }
    /// out += factor x
    func add(
      _ factor: Double, _ x: UnsafeMutablePointer<Float>, to out: UnsafeMutablePointer<Float>
    ) {
      for d in 0..<q.size { out[d] += Float(factor * Double(x[d])) }
    }
    call.forEachSpan { span in
      for i in span {
        for h in 0..<q.heads {
          let delta = dot(dO.at(i, h), o.at(i, h), q.size)
          for j in span {
            let p = exp(call.score(i, j, h) - Double(lse[i][h]))
            let ds = p * (dot(dO.at(i, h), v.at(j, h), q.size) - delta) * args.scale
            add(p, dO.at(i, h), to: dv.at(j, h))
            add(ds, k.at(j, h), to: dq.at(i, h))
            add(ds, q.at(i, h), to: dk.at(j, h))
            let row = call.bucket(i, j)
            if let table = call.keyTable, let gradient = dKeyTable {
              add(ds, table.at(row, h), to: dq.at(i, h))
              add(ds, q.at(i, h), to: gradient.at(row, h))
            }
            if let table = call.queryTable, let gradient = dQueryTable {
              add(ds, table.at(row, h), to: dk.at(j, h))
              add(ds, k.at(j, h), to: gradient.at(row, h))
            }
          }
        }
      }
    }
  }
}
