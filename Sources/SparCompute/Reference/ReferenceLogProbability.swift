import CSparPlugin
import Glibc

extension Reference {
  /// z[v] = softcap(h weight[v] / temperature) for one row.
  private static func logits(
    _ h: UnsafeMutablePointer<Float>, _ weight: Rows, _ args: spar_linear_logp_args
  ) -> [Double] {
    var z = [Double](repeating: 0, count: weight.count)
    for v in 0..<weight.count {
      let row = weight[v]
      var sum = 0.0
      for c in 0..<weight.width { sum += Double(h[c]) * Double(row[c]) }
      sum *= factor(args.inv_temperature)
      z[v] = args.softcap > 0 ? args.softcap * Glibc.tanh(sum / args.softcap) : sum
    }
    return z
  }

  /// Log-probabilities of targets from logits [T, V]; a negative target skips its row.
  static func logp(_ args: spar_logp_args) throws(ReferenceGap) {
    let logits = try Rows(args.logits)
    let logp = try Rows(args.logp)
    let lse = try Rows(args.lse)
    let entropy = try Rows(optional: args.entropy)
    guard let targets = args.targets else { throw ReferenceGap(what: "no targets") }
    for t in 0..<logits.count {
      let target = Int(targets[t])
      var (p, total, mean) = (0.0, 0.0, 0.0)
      if target >= 0 {
        let z = (0..<logits.width).map { Double(logits[t][$0]) * factor(args.inv_temperature) }
        let top = z.max() ?? 0
        total = top + log(z.reduce(0) { $0 + exp($1 - top) })
        p = z[target] - total
        mean = z.reduce(0) { $0 - exp($1 - total) * ($1 - total) }
      }
      logp.base[t] = Float(p)
      lse.base[t] = Float(total)
      if entropy.isPresent { entropy.base[t] = Float(mean) }
    }
  }

  /// dlogits = coef (onehot - softmax) / temperature; 0 in skipped rows.
  static func logpBackward(_ args: spar_logp_args) throws(ReferenceGap) {
    let logits = try Rows(args.logits)
    let lse = try Rows(args.lse)
    let coef = try Rows(args.coef)
    let out = try Rows(args.dlogits)
    guard let targets = args.targets else { throw ReferenceGap(what: "no targets") }
    let scale = factor(args.inv_temperature)
    for t in 0..<logits.count {
      let target = Int(targets[t])
      for v in 0..<logits.width {
        let p = exp(scale * Double(logits[t][v]) - Double(lse.base[t]))
        let g = Double(coef.base[t]) * scale * ((v == target ? 1 : 0) - p)
        out[t][v] = target >= 0 ? Float(g) : 0
      }
    }
  }

  static func linearLogp(_ args: spar_linear_logp_args) throws(ReferenceGap) {
    let h = try Rows(args.h)
    let weights = try ExpandedRows(args.weight)
    defer { weights.keep() }
    let weight = weights.rows
    let logp = try Rows(args.logp)
    let lse = try Rows(args.lse)
    let entropy = try Rows(optional: args.entropy)
    let squares = try Rows(optional: args.sum_p2)
    guard let targets = args.targets else { throw ReferenceGap(what: "no targets") }
    for t in 0..<h.count {
      let target = Int(targets[t])
      var (p, total, mean, p2) = (0.0, 0.0, 0.0, 0.0)
      if target >= 0 {
        let z = logits(h[t], weight, args)
        let top = z.max() ?? 0
        total = top + log(z.reduce(0) { $0 + exp($1 - top) })
        p = z[target] - total
        for value in z {
          let probability = exp(value - total)
          mean -= probability * (value - total)
          p2 += probability * probability
        }
      }
      logp.base[t] = Float(p)
      lse.base[t] = Float(total)
      if entropy.isPresent { entropy.base[t] = Float(mean) }
      if squares.isPresent { squares.base[t] = Float(p2) }
    }
  }

  static func linearLogpBackward(_ args: spar_linear_logp_args) throws(ReferenceGap) {
    let h = try Rows(args.h)
    let weights = try ExpandedRows(args.weight)
    defer { weights.keep() }
    let weight = weights.rows
    let lse = try Rows(args.lse)
    let coef = try Rows(args.coef)
    let dh = try Rows(args.dh)
    let dweight = try Rows(optional: args.dweight)
    guard let targets = args.targets else { throw ReferenceGap(what: "no targets") }
    let accumulate = args.flags & UInt64(SPAR_ACCUMULATE) != 0
    for t in 0..<h.count {
      if !accumulate { dh[t].update(repeating: 0, count: dh.width) }
      let target = Int(targets[t])
      guard target >= 0 else { continue }
      let z = logits(h[t], weight, args)
      for v in 0..<weight.count {
        var g = Double(coef.base[t]) * ((v == target ? 1 : 0) - exp(z[v] - Double(lse.base[t])))
        if args.softcap > 0 { g *= 1 - (z[v] / args.softcap) * (z[v] / args.softcap) }
        g *= factor(args.inv_temperature)
        for c in 0..<weight.width {
          dh[t][c] += Float(g * Double(weight[v][c]))
          if dweight.isPresent { dweight[v][c] += Float(g * Double(h[t][c])) }
        }
      }
    }
  }
}
