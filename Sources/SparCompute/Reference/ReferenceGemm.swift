import CSparPlugin

extension Reference {
  /// C = alpha op(A) op(B) + beta C + bias; beta 0 never reads C.
  static func gemm(_ args: spar_gemm_args) throws(ReferenceGap) {
    let a = try Rows(args.a)
    let weights = try ExpandedRows(args.b)
    defer { weights.keep() }
    let b = weights.rows
    let c = try Rows(args.c)
    let bias = try Rows(optional: args.bias)
    let transA = args.flags & UInt64(SPAR_TRANS_A) != 0
    let transB = args.flags & UInt64(SPAR_TRANS_B) != 0
    let k = transA ? a.count : a.width
    for i in 0..<c.count {
      for j in 0..<c.width {
        var sum = 0.0
        let left = transA ? a.base + i : a[i]
        let right = transB ? b[j] : b.base + j
        let leftStep = transA ? a.stride : 1
        let rightStep = transB ? 1 : b.stride
        for l in 0..<k {
          sum += Double(left[l * leftStep]) * Double(right[l * rightStep])
        }
        var value = args.alpha * sum
        if args.beta != 0 { value += args.beta * Double(c[i][j]) }
        if bias.isPresent { value += Double(bias.base[j]) }
        c[i][j] = Float(value)
      }
    }
  }
}
