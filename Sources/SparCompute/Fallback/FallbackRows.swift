import CSparKernels
import CSparPlugin
import SparTensor

/// Operations whose rows are independent: one kernel call per row, rows on all threads.
extension Fallback {
  func norm(_ args: spar_norm_args) throws(ReferenceGap) {
    let (x, y) = (try Rows(args.x), try Rows(args.y))
    let (weight, rstd) = (try Rows(args.weight), try Rows(args.rstd))
    let (bias, mean) = (try Rows(optional: args.bias), try Rows(optional: args.mean))
    let shift = bias.isPresent ? bias.base : nil
    let isLayer = args.kind == UInt32(SPAR_NORM_LAYER)
    parallel.rows(x) { t in
      let (c, eps, scale) = (Int64(x.width), Float(args.eps), rstd.base + t)
      if isLayer {
        let at = mean.isPresent ? mean.base + t : nil
        k.pointee.layer_norm(c, x[t], weight.base, shift, eps, y[t], at, scale)
      } else {
        k.pointee.rms_norm(c, x[t], weight.base, shift, eps, y[t], scale)
      }
    }
  }

  /// Gradients of weight and bias are summed over blocks of 64 rows, then block by block.
  func normBackward(_ args: spar_norm_args) throws(ReferenceGap) {
    let (x, dy, dx) = (try Rows(args.x), try Rows(args.dy), try Rows(args.dx))
    let (weight, rstd) = (try Rows(args.weight), try Rows(args.rstd))
    let mean = try Rows(optional: args.mean)
    let (dweight, dbias) = (try Rows(optional: args.dweight), try Rows(optional: args.dbias))
    let isLayer = args.kind == UInt32(SPAR_NORM_LAYER)
    guard !isLayer || mean.isPresent else { throw ReferenceGap(what: "layer norm without means") }
    let accumulate: Int32 = args.flags & UInt64(SPAR_ACCUMULATE) != 0 ? 1 : 0
    let (width, blockRows) = (x.width, 64)
    let blocks = (x.count + blockRows - 1) / blockRows
    let partial = scratch(blocks * 2 * width)
    partial.zero()
    parallel(blocks) { range in
      for block in range {
        let sums = partial.floats + block * 2 * width
        for t in block * blockRows..<min(x.count, (block + 1) * blockRows) {
          k.pointee.norm_bwd(
            Int64(width), x[t], weight.base, dy[t], isLayer ? 1 : 0, isLayer ? mean.base[t] : 0,
            rstd.base[t], accumulate, dx[t], dweight.isPresent ? sums : nil,
            dbias.isPresent ? sums + width : nil)
        }
      }
    }
    for block in 0..<blocks {
      let sums = partial.floats + block * 2 * width
      if dweight.isPresent { k.pointee.add(Int64(width), sums, dweight.base) }
      if dbias.isPresent { k.pointee.add(Int64(width), sums + width, dbias.base) }
    }
  }

  func rotary(_ args: spar_rope_args) throws(ReferenceGap) {
    let (x, cos, sin) = (try Rows(args.x, inner: 2), try Rows(args.cos), try Rows(args.sin))
    guard let positions = args.positions, let shape = args.x?.pointee.shape else {
      throw ReferenceGap(what: "rotary without positions")
    }
    let half = shape.2 / 2
    let sign: Float = args.flags & UInt64(SPAR_INVERSE) != 0 ? -1 : 1
    let interleaved: Int32 = args.flags & UInt64(SPAR_INTERLEAVED) != 0 ? 1 : 0
    parallel.rows(x) { t in
      let position = Int(positions[t])
      for h in 0..<Int(shape.1) {
        let head = x[t] + h * Int(shape.2)
        k.pointee.rope(half, interleaved, head, cos[position], sin[position], sign)
      }
    }
  }

  func softmax(_ args: spar_softmax_args) throws(ReferenceGap) {
    let (x, y, mask) = (try Rows(args.x), try Rows(args.y), try Rows(optional: args.mask))
    let scale = Float(Reference.factor(args.scale))
    parallel.rows(x) { t in
      let row = mask.isPresent ? (mask.count == 1 ? mask.base : mask[t]) : nil
      k.pointee.softmax(Int64(x.width), x[t], row, scale, y[t])
    }
  }

  func softmaxBackward(_ args: spar_softmax_args) throws(ReferenceGap) {
    let (y, dy, dx) = (try Rows(args.y), try Rows(args.dy), try Rows(args.dx))
    let scale = Float(Reference.factor(args.scale))
    parallel.rows(y) { t in k.pointee.softmax_bwd(Int64(y.width), y[t], dy[t], scale, dx[t]) }
  }

  func logp(_ args: spar_logp_args) throws(ReferenceGap) {
    let (logits, logp, lse) = (try Rows(args.logits), try Rows(args.logp), try Rows(args.lse))
    let entropy = try Rows(optional: args.entropy)
    guard let targets = args.targets else { throw ReferenceGap(what: "no targets") }
    let scale = Float(Reference.factor(args.inv_temperature))
    parallel.rows(logits) { t in
      var (p, total, mean): (Float, Float, Float) = (0, 0, 0)
      if targets[t] >= 0 {
        k.pointee.log_sum_exp(Int64(logits.width), logits[t], scale, &total, &mean)
        p = logits[t][Int(targets[t])] * scale - total
      }
      logp.base[t] = p
      lse.base[t] = total
      if entropy.isPresent { entropy.base[t] = mean }
    }
  }

  func logpBackward(_ args: spar_logp_args) throws(ReferenceGap) {
    let (logits, lse) = (try Rows(args.logits), try Rows(args.lse))
    let (coef, out) = (try Rows(args.coef), try Rows(args.dlogits))
    guard let targets = args.targets else { throw ReferenceGap(what: "no targets") }
    let scale = Float(Reference.factor(args.inv_temperature))
    parallel.rows(logits) { t in
      if targets[t] < 0 {
        out[t].update(repeating: 0, count: out.width)
      } else {
        k.pointee.logp_bwd(
          Int64(logits.width), logits[t], scale, lse.base[t], coef.base[t], Int64(targets[t]),
          out[t])
      }
    }
  }
}
