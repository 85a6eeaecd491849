import CSparPlugin
import Glibc

extension Reference {
  /// Rotates pairs (d, d + D/2), or (2d, 2d + 1) when interleaved, by the row's position.
  static func rotary(_ args: spar_rope_args) throws(ReferenceGap) {
    let x = try Rows(args.x, inner: 2)
    let cos = try Rows(args.cos)
    let sin = try Rows(args.sin)
    guard let positions = args.positions, let shape = args.x?.pointee.shape else {
      throw ReferenceGap(what: "rotary without positions")
    }
    let half = Int(shape.2) / 2
    let sign: Double = args.flags & UInt64(SPAR_INVERSE) != 0 ? -1 : 1
    let interleaved = args.flags & UInt64(SPAR_INTERLEAVED) != 0
    for t in 0..<x.count {
      let position = Int(positions[t])
      for h in 0..<Int(shape.1) {
        let head = x[t] + h * 2 * half
        for d in 0..<half {
          let (i, j) = interleaved ? (2 * d, 2 * d + 1) : (d, d + half)
          let c = Double(cos[position][d])
          let s = sign * Double(sin[position][d])
          let (a, b) = (Double(head[i]), Double(head[j]))
          head[i] = Float(a * c - b * s)
          head[j] = Float(b * c + a * s)
        }
      }
    }
  }

  /// f(x) and f'(x).
  static func activate(_ kind: UInt32, _ x: Double) throws(ReferenceGap) -> (Double, Double) {
    switch Activation(rawValue: kind) {
    case .relu: return (max(x, 0), x > 0 ? 1 : 0)
    case .silu:
      let s = 1 / (1 + exp(-x))
      return (x * s, s * (1 + x * (1 - s)))
    case .gelu:
      let cdf = 0.5 * (1 + erf(x / 2.0.squareRoot()))
      return (x * cdf, cdf + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot())
    case .geluTanh:
      let k = (2 / Double.pi).squareRoot()
      let t = Glibc.tanh(k * (x + 0.044715 * x * x * x))
      return (0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 0.134145 * x * x))
    case .tanh:
      let t = Glibc.tanh(x)
      return (t, 1 - t * t)
    case .sigmoid:
      let s = 1 / (1 + exp(-x))
      return (s, s * (1 - s))
    case nil: throw ReferenceGap(what: "activation \(kind)")
    }
  }

  static func activation(_ args: spar_activation_args) throws(ReferenceGap) {
    let x = try Rows(args.x)
    let gate = try Rows(optional: args.gate)
    let y = try Rows(args.y)
    for t in 0..<x.count {
      for c in 0..<x.width {
        let value = try activate(args.kind, Double(x[t][c])).0
        y[t][c] = Float(gate.isPresent ? value * Double(gate[t][c]) : value)
      }
    }
  }

  static func activationBackward(_ args: spar_activation_args) throws(ReferenceGap) {
    let x = try Rows(args.x)
    let gate = try Rows(optional: args.gate)
    let dy = try Rows(args.dy)
    let dx = try Rows(args.dx)
    let dgate = try Rows(optional: args.dgate)
    for t in 0..<x.count {
      for c in 0..<x.width {
        let (value, slope) = try activate(args.kind, Double(x[t][c]))
        let g = Double(dy[t][c])
        let opened = gate.isPresent ? Double(gate[t][c]) : 1
        dx[t][c] = Float(g * slope * opened)
        if dgate.isPresent { dgate[t][c] = Float(g * value) }
      }
    }
  }

  static func embed(_ args: spar_embed_args) throws(ReferenceGap) {
    let table = try StoredRows(args.table)
    let y = try Rows(args.y)
    guard let ids = args.ids else { throw ReferenceGap(what: "embed without ids") }
    for t in 0..<y.count { table.decode(Int(ids[t]), into: y[t]) }
  }

  static func embedBackward(_ args: spar_embed_args) throws(ReferenceGap) {
    let dy = try Rows(args.dy)
    let dtable = try Rows(args.dtable)
    guard let ids = args.ids else { throw ReferenceGap(what: "embed without ids") }
    for t in 0..<dy.count {
      for c in 0..<dy.width { dtable[Int(ids[t])][c] += dy[t][c] }
    }
  }

  static func binary(_ args: spar_binary_args) throws(ReferenceGap) {
    let inner = Int(args.x?.pointee.rank ?? 1) - 1
    let x = try Rows(args.x, inner: max(inner, 1))
    let z = try Rows(args.z, inner: max(Int(args.z?.pointee.rank ?? 1) - 1, 1))
    let y = try Rows(args.y, inner: max(inner, 1))
    for t in 0..<x.count {
      let row = z.count == x.count ? t : 0
      for c in 0..<x.width {
        let (a, b) = (args.alpha * Double(x[t][c]), args.beta * Double(z[row][c]))
        y[t][c] = Float(args.kind == UInt32(SPAR_MUL) ? a * b : a + b)
      }
    }
  }

  static func reduce(_ args: spar_reduce_args) throws(ReferenceGap) {
    let x = try Rows(args.x, inner: max(Int(args.x?.pointee.rank ?? 1) - 1, 1))
    let y = try Rows(args.y)
    if args.kind == UInt32(SPAR_SUM_ROWS) {
      for c in 0..<x.width {
        var sum = 0.0
        for t in 0..<x.count { sum += Double(x[t][c]) }
        y.base[c] = Float(sum)
      }
      return
    }
    var total = args.kind == UInt32(SPAR_MAX_ALL) ? -Double.infinity : 0
    for t in 0..<x.count {
      for c in 0..<x.width {
        let value = Double(x[t][c])
        switch Int(args.kind) {
        case SPAR_SUM_ALL: total += value
        case SPAR_SUMSQ_ALL: total += value * value
        default: total = max(total, value)
        }
      }
    }
    y.base[0] = Float(total)
  }

  static func copy(_ args: spar_copy_args) throws(ReferenceGap) {
    let inner = max(Int(args.x?.pointee.rank ?? 1) - 1, 1)
    let x = try Rows(args.x, inner: inner)
    let y = try Rows(args.y, inner: inner)
    let count = args.n_rows > 0 ? Int(args.n_rows) : x.count
    for t in 0..<count {
      let from = args.x_rows.map { Int($0[t]) } ?? t
      let to = args.y_rows.map { Int($0[t]) } ?? t
      y[to].update(from: x[from], count: x.width)
    }
  }
}
