import CSparKernels
import CSparPlugin
import SparTensor

/// Products with stored weights, for a backend that declines them: slabs of rows are expanded and
/// multiplied in f32, by the plugin wherever it can.
extension Fallback {
  /// Weights expanded at a time: 16 MiB.
  private static let slab = 4 << 20

  /// `rows` of the weights in f32, one after another.
  func expand(_ weights: StoredRows, _ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    parallel(rows.count, grain: max(1, 16384 / max(1, weights.width))) { part in
      for row in part {
        k.pointee.decode(
          weights.dtype, Int64(weights.width), weights.address(rows.lowerBound + row),
          out + row * weights.width)
      }
    }
  }

  /// y = x Wᵀ writes columns of C slab by slab; dx = dy W adds up slab by slab.
  func storedGemm(_ args: spar_gemm_args) throws(ReferenceGap) {
    let weights = try StoredRows(args.b)
    guard let a = args.a?.pointee, let c = args.c?.pointee, a.rank == 2, c.rank == 2,
      a.dtype == Int32(SPAR_F32), c.dtype == Int32(SPAR_F32), weights.count > 0, weights.width > 0
    else { throw ReferenceGap(what: "stored weights in other than one product of f32 matrices") }
    let transposed = args.flags & UInt64(SPAR_TRANS_B) != 0
    let step = max(1, Self.slab / weights.width)
    let room = scratch(min(step, weights.count) * weights.width)
    for begin in stride(from: 0, to: weights.count, by: step) {
      let rows = begin..<min(weights.count, begin + step)
      expand(weights, rows, into: room.floats)
      let part = FloatView(
        base: room.floats, shape: [rows.count, weights.width], stride: [weights.width, 1])
      var one = args
      var left = a
      var out = c
      if transposed {
        out = c.slice(axis: 1, rows)
      } else {
        left = a.slice(axis: args.flags & UInt64(SPAR_TRANS_A) != 0 ? 0 : 1, rows)
        if begin > 0 {
          one.beta = 1
          one.bias = nil
        }
      }
      try withTensors(left, part.c, &out) { (left, right, out) throws(ReferenceGap) in
        one.a = left
        one.b = right
        one.c = out
        guard transposed, let bias = args.bias?.pointee.slice(axis: 0, rows) else {
          return try product(&one)
        }
        try withUnsafePointer(to: bias) { (bias) throws(ReferenceGap) in
          one.bias = bias
          try product(&one)
        }
      }
    }
  }
}

extension spar_tensor {
  /// Elements `range` of one of the first two axes, of a tensor of f32.
  fileprivate func slice(axis: Int, _ range: Range<Int>) -> spar_tensor {
    var part = self
    let step = axis == 0 ? Int(stride.0) : Int(stride.1)
    part.data = data.map { $0 + 4 * range.lowerBound * step }
    part.offset += UInt64(4 * range.lowerBound * step)
    if axis == 0 { part.shape.0 = Int64(range.count) } else { part.shape.1 = Int64(range.count) }
    return part
  }
}
