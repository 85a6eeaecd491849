import CSparKernels
import CSparPlugin
import SparTensor

extension Fallback {
  /// The product, when the plugin has none or declined: leading axes one matrix at a time, each by
  /// the plugin if it takes matrices, else by the kernels.
  func gemm(_ args: spar_gemm_args) throws(ReferenceGap) {
    guard let a = args.a?.pointee, let b = args.b?.pointee, let c = args.c?.pointee else {
      throw ReferenceGap(what: "a missing tensor")
    }
    guard b.dtype == Int32(SPAR_F32) else { return try storedGemm(args) }
    guard c.rank > 2 else { return try kernelGemm(args) }
    for i in 0..<(c.rank == 4 ? Int(c.shape.0) : 1) {
      for j in 0..<Int(c.rank == 4 ? c.shape.1 : c.shape.0) {
        var out = Self.matrix(c, i, j)
        try withTensors(Self.matrix(a, i, j), Self.matrix(b, i, j), &out) {
          (left, right, out) throws(ReferenceGap) in
          var one = args
          one.a = left
          one.b = right
          one.c = out
          try product(&one)
        }
      }
    }
  }

  /// alpha op(a) op(b) + beta c into c, by the plugin wherever it can.
  func product(
    _ a: FloatView, transposeA: Bool = false, _ b: FloatView, transposeB: Bool = false,
    into c: FloatView, beta: Double = 0
  ) throws(ReferenceGap) {
    var out = c.c
    try withTensors(a.c, b.c, &out) { (left, right, out) throws(ReferenceGap) in
      var args = spar_gemm_args()
      args.struct_size = UInt64(MemoryLayout<spar_gemm_args>.size)
      args.flags =
        (transposeA ? UInt64(SPAR_TRANS_A) : 0) | (transposeB ? UInt64(SPAR_TRANS_B) : 0)
      args.a = left
      args.b = right
      args.c = out
      args.alpha = 1
      args.beta = beta
      try product(&args)
    }
  }

  func product(_ args: inout spar_gemm_args) throws(ReferenceGap) {
    if let pluginGemm {
      let status = pluginGemm(&args)
      if status == spar_status(SPAR_OK) { return }
      guard status == spar_status(SPAR_UNSUPPORTED) else {
        throw ReferenceGap(what: "gemm inside a composite", status: status)
      }
    }
    try gemm(args)
  }

  /// Matrix (i, j) of a tensor of rank 2 to 4; an axis that it lacks, or has once, is shared.
  private static func matrix(_ t: spar_tensor, _ i: Int, _ j: Int) -> spar_tensor {
    let (shape, stride) = (Rows.four(t.shape), Rows.four(t.stride))
    let rank = Int(t.rank)
    var offset = 0
    if rank == 4, shape[0] > 1 { offset += i * stride[0] }
    if rank >= 3, shape[rank - 3] > 1 { offset += j * stride[rank - 3] }
    var one = t
    one.data = t.data.map { $0 + offset * Int(spar_dtype_size(t.dtype)) }
    one.offset += UInt64(offset) * spar_dtype_size(t.dtype)
    one.rank = 2
    one.shape = (Int64(shape[rank - 2]), Int64(shape[rank - 1]), 0, 0)
    one.stride = (Int64(stride[rank - 2]), Int64(stride[rank - 1]), 0, 0)
    return one
  }

  /// Panels of C's columns, each with B packed once, down all rows of A.
  private func kernelGemm(_ args: spar_gemm_args) throws(ReferenceGap) {
    let (a, b, c) = (try Rows(args.a), try Rows(args.b), try Rows(args.c))
    let bias = try Rows(optional: args.bias)
    let transA = args.flags & UInt64(SPAR_TRANS_A) != 0
    let transB = args.flags & UInt64(SPAR_TRANS_B) != 0
    let depth = transA ? a.count : a.width
    let width = Int(k.pointee.panel_lanes)
    let (lanes, tile) = (Int(k.pointee.lanes), Int(k.pointee.tile_rows))
    let (row, step) = transA ? (1, a.stride) : (a.stride, 1)
    parallel((c.width + width - 1) / width) { panels in
      let panel = scratch(depth * width)
      for column in panels.map({ $0 * width }) {
        let count = min(width, c.width - column)
        if transB {
          k.pointee.pack_rows(
            panel.floats, b[column], Int64(b.stride), nil, Int64(count), Int64(depth))
        } else {
          k.pointee.pack_columns(
            panel.floats, b.base + column, Int64(b.stride), Int64(depth), Int64(count))
        }
        var product = spar_product(
          k: Int64(depth), lanes: Int64(count), rows: Int64(c.count), panel: panel.floats,
          b: a.base, panel_step: Int64((count + lanes - 1) / lanes * lanes),
          group_step: Int64(tile * row), row_step: Int64(row), t_step: Int64(step))
        var epilogue = spar_epilogue(
          alpha: Float(args.alpha), beta: Float(args.beta),
          bias: bias.isPresent ? UnsafePointer(bias.base + column) : nil, transposed: 0)
        k.pointee.product(&product, c.base + column, Int64(c.stride), &epilogue)
      }
    }
  }
}

/// Three tensors that a call borrows.
func withTensors<E: Error>(
  _ a: spar_tensor, _ b: spar_tensor, _ c: inout spar_tensor,
  _ body: (
    UnsafePointer<spar_tensor>, UnsafePointer<spar_tensor>, UnsafeMutablePointer<spar_tensor>
  ) throws(E) -> Void
) throws(E) {
  try withUnsafePointer(to: a) { (a) throws(E) in
    try withUnsafePointer(to: b) { (b) throws(E) in
      try withUnsafeMutablePointer(to: &c) { (c) throws(E) in try body(a, b, c) }
    }
  }
}
