import CSparKernels
import CSparPlugin
import Glibc
import SparTensor

/// Operations on elements.
extension Fallback {
  func activation(_ args: spar_activation_args) throws(ReferenceGap) {
    guard Activation(rawValue: args.kind) != nil else {
      throw ReferenceGap(what: "activation \(args.kind)")
    }
    let (x, y, gate) = (try Rows(args.x), try Rows(args.y), try Rows(optional: args.gate))
    parallel.rows(x) { t in
      k.pointee.activation(args.kind, Int64(x.width), x[t], gate.isPresent ? gate[t] : nil, y[t])
    }
  }

  func activationBackward(_ args: spar_activation_args) throws(ReferenceGap) {
    guard Activation(rawValue: args.kind) != nil else {
      throw ReferenceGap(what: "activation \(args.kind)")
    }
    let (x, dy, dx) = (try Rows(args.x), try Rows(args.dy), try Rows(args.dx))
    let (gate, dgate) = (try Rows(optional: args.gate), try Rows(optional: args.dgate))
    parallel.rows(x) { t in
      k.pointee.activation_bwd(
        args.kind, Int64(x.width), x[t], gate.isPresent ? gate[t] : nil, dy[t], dx[t],
        dgate.isPresent ? dgate[t] : nil)
    }
  }

  func binary(_ args: spar_binary_args) throws(ReferenceGap) {
    let (x, y, z) = (try Rows(args.x), try Rows(args.y), try Rows(args.z))
    let (alpha, beta) = (Float(args.alpha), Float(args.beta))
    parallel.rows(x) { t in
      let other = z.count == x.count ? z[t] : z.base
      if args.kind == UInt32(SPAR_MUL) {
        k.pointee.multiply(Int64(x.width), alpha * beta, x[t], other, y[t])
      } else {
        k.pointee.axpby(Int64(x.width), alpha, x[t], beta, other, y[t])
      }
    }
  }

  /// Sums of runs of 64 Ki elements, joined in order in f64.
  func reduce(_ args: spar_reduce_args) throws(ReferenceGap) {
    let (x, y) = (try Rows(args.x), try Rows(args.y))
    guard args.kind != UInt32(SPAR_SUM_ROWS) else { return sumRows(x, into: y.base) }
    guard x.count <= 1 || x.stride == x.width else { throw ReferenceGap(what: "rows with gaps") }
    let (count, run) = (x.count * x.width, 1 << 16)
    let kernel: (Int64, UnsafePointer<Float>?) -> Double
    switch Int(args.kind) {
    case SPAR_SUM_ALL: kernel = { k.pointee.sum($0, $1) }
    case SPAR_SUMSQ_ALL: kernel = { k.pointee.sum_of_squares($0, $1) }
    default: kernel = { Double(k.pointee.maximum($0, $1)) }
    }
    var partial = [Double](repeating: 0, count: (count + run - 1) / run)
    partial.withUnsafeMutableBufferPointer { partial in
      let out = partial
      parallel(count, grain: run) { range in
        out[range.lowerBound / run] = kernel(Int64(range.count), x.base + range.lowerBound)
      }
    }
    let isMaximum = args.kind == UInt32(SPAR_MAX_ALL)
    y.base[0] = Float(
      isMaximum ? partial.reduce(-.infinity) { max($0, $1) } : partial.reduce(0, +))
  }

  private func sumRows(_ x: Rows, into y: UnsafeMutablePointer<Float>) {
    parallel(x.width, grain: 64) { columns in
      var sums = [Double](repeating: 0, count: columns.count)
      for t in 0..<x.count {
        let row = x[t] + columns.lowerBound
        for c in sums.indices { sums[c] += Double(row[c]) }
      }
      for c in sums.indices { y[columns.lowerBound + c] = Float(sums[c]) }
    }
  }

  func optimizer(_ args: spar_optimizer_args) throws(ReferenceGap) {
    func flat(_ t: UnsafePointer<spar_tensor>?) throws(ReferenceGap) -> Rows {
      try Rows(optional: t, inner: Int(t?.pointee.rank ?? 1))
    }
    let (p, g) = (try flat(args.p), try flat(args.g))
    let (m, v) = (try flat(args.m), try flat(args.v))
    guard args.master == nil, (SPAR_OPT_ADAMW...SPAR_OPT_LION).contains(Int(args.kind)) else {
      throw ReferenceGap(what: "optimizer kind \(args.kind), or a master copy")
    }
    var step = spar_step()
    step.kind = args.kind
    step.lr = Float(args.lr)
    step.beta1 = Float(args.beta1)
    step.beta2 = Float(args.beta2)
    step.eps = Float(args.eps)
    step.weight_decay = Float(args.weight_decay)
    step.momentum = Float(args.momentum)
    step.grad_scale = Float(args.grad_scale)
    step.correction1 = Float(1 / (1 - pow(args.beta1, Double(args.step))))
    step.correction2 = Float(1 / (1 - pow(args.beta2, Double(args.step))))
    parallel(p.width, grain: 1 << 16) { [step] range in
      var step = step
      let at = range.lowerBound
      k.pointee.optimize(
        &step, Int64(range.count), p.base + at, m.isPresent ? m.base + at : nil,
        v.isPresent ? v.base + at : nil, g.base + at)
    }
  }
}
