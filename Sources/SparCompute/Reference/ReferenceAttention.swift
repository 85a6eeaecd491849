import CSparPlugin
import Glibc

extension Reference {
  /// One span of the ABI's arrays, and the keys that a row of it sees.
  private struct SpanView {
    let qBegin, qCount, kBegin, kCount, prefixBegin, prefixCount: Int
    let causal: Bool
    let window: Int

    init(_ args: spar_attention_args, _ s: Int) throws(ReferenceGap) {
      guard let qb = args.q_begin, let qn = args.q_len, let kb = args.k_begin, let kn = args.k_len
      else { throw ReferenceGap(what: "attention without spans") }
      (qBegin, qCount) = (Int(qb[s]), Int(qn[s]))
      (kBegin, kCount) = (Int(kb[s]), Int(kn[s]))
      prefixBegin = args.prefix_begin.map { Int($0[s]) } ?? 0
      prefixCount = args.prefix_len.map { Int($0[s]) } ?? 0
      causal = args.flags & UInt64(SPAR_CAUSAL) != 0
      window = Int(args.window)
    }

    /// Key rows that query `i` of the span sees, in order.
    func keys(_ i: Int) -> [Int] {
      let own = causal ? kCount - qCount + i + 1 : kCount
      let all =
        (0..<prefixCount).map { prefixBegin + $0 } + (0..<max(own, 0)).map { kBegin + $0 }
      return window > 0 && all.count > window ? Array(all.suffix(window)) : all
    }
  }

  struct Heads {
    let rows: Rows
    let heads: Int
    let size: Int

    init(_ tensor: UnsafePointer<spar_tensor>?) throws(ReferenceGap) {
      rows = try Rows(tensor, inner: 2)
      heads = Int(tensor?.pointee.shape.1 ?? 0)
      size = Int(tensor?.pointee.shape.2 ?? 0)
    }

    func at(_ row: Int, _ head: Int) -> UnsafeMutablePointer<Float> { rows[row] + head * size }
  }

  static func dot(
    _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, _ n: Int
  ) -> Double {
    var sum = 0.0
    for i in 0..<n { sum += Double(a[i]) * Double(b[i]) }
    return sum
  }

  private static func cap(_ x: Double, _ softcap: Double) -> Double {
    softcap > 0 ? softcap * Glibc.tanh(x / softcap) : x
  }

  static func attention(_ args: spar_attention_args) throws(ReferenceGap) {
    let q = try Heads(args.q)
    let k = try Heads(args.k)
    let v = try Heads(args.v)
    let o = try Heads(args.o)
    let lse = try Rows(args.lse)
    let share = q.heads / k.heads
    for s in 0..<Int(args.n_seq) {
      let span = try SpanView(args, s)
      for i in 0..<span.qCount {
        let keys = span.keys(i)
        let row = span.qBegin + i
        for h in 0..<q.heads {
          let scores = keys.map {
            cap(args.scale * dot(q.at(row, h), k.at($0, h / share), q.size), args.softcap)
          }
          let top = scores.max() ?? 0
          let sum = scores.reduce(0) { $0 + exp($1 - top) }
          let out = o.at(row, h)
          for d in 0..<q.size {
            var value = 0.0
            for (index, key) in keys.enumerated() {
              value += exp(scores[index] - top) * Double(v.at(key, h / share)[d])
            }
            out[d] = Float(keys.isEmpty ? 0 : value / sum)
          }
          lse[row][h] = keys.isEmpty ? -.infinity : Float(top + log(sum))
        }
      }
    }
  }

  static func attentionBackward(_ args: spar_attention_args) throws(ReferenceGap) {
    let q = try Heads(args.q)
    let k = try Heads(args.k)
    let v = try Heads(args.v)
    let o = try Heads(args.o)
    let dO = try Heads(args.d_o)
    let (dq, dk, dv) = (try Heads(args.dq), try Heads(args.dk), try Heads(args.dv))
    let lse = try Rows(args.lse)
    let share = q.heads / k.heads
    if args.flags & UInt64(SPAR_ACCUMULATE) == 0 {
      for out in [dq, dk, dv] {
        for row in 0..<out.rows.count { out.rows[row].update(repeating: 0, count: out.rows.width) }
      }
    }
    for s in 0..<Int(args.n_seq) {
      let span = try SpanView(args, s)
      for i in 0..<span.qCount {
        let row = span.qBegin + i
        for h in 0..<q.heads {
          let delta = dot(dO.at(row, h), o.at(row, h), q.size)
          for key in span.keys(i) {
            let raw = args.scale * dot(q.at(row, h), k.at(key, h / share), q.size)
            let score = cap(raw, args.softcap)
            let p = exp(score - Double(lse[row][h]))
            var ds = p * (dot(dO.at(row, h), v.at(key, h / share), q.size) - delta)
            if args.softcap > 0 { ds *= 1 - (score / args.softcap) * (score / args.softcap) }
            for d in 0..<q.size {
              dv.at(key, h / share)[d] += Float(p * Double(dO.at(row, h)[d]))
              dq.at(row, h)[d] += Float(ds * args.scale * Double(k.at(key, h / share)[d]))
              dk.at(key, h / share)[d] += Float(ds * args.scale * Double(q.at(row, h)[d]))
            }
          }
        }
      }
    }
  }
}
