import CSparPlugin
import Glibc
import SparTensor

extension OperationFamily {
  static let gemm = OperationFamily(
    name: "gemm",
    about: "transposes, alpha, beta (0 on a C of NaN), bias, strides, batches, other types, "
      + "weights as files store them"
  ) { seed in
    var cases: [OperationTrial] = []
    for shape in [
      [3, 5, 7], [33, 65, 40], [1, 1, 1], [1, 70, 129], [130, 3, 200], [64, 96, 300],
    ] {
      for (a, b) in [(false, true), (false, false), (true, false), (true, true)] {
        cases.append(product(seed, shape, transA: a, transB: b))
      }
    }
    let some = [17, 33, 50]
    cases.append(product(seed, some, transB: true, bias: true))
    cases.append(product(seed, some, transB: true, pads: [3, 5, 7]))
    cases.append(product(seed, some, transA: true, beta: 1, pads: [1, 2, 3]))
    cases.append(product(seed, some, alpha: -0.5, beta: 0.25, bias: true))
    for type in [DType.f16, .bf16, .f64] {
      cases.append(product(seed, some, transB: true, dtype: type))
    }
    for type in StoredWeights.types {
      for rows in [1, 12, 50] {
        cases.append(product(seed, [rows, 36, 64], transB: true, weights: type))
      }
      cases.append(
        product(seed, [3, 20, 96], transB: true, bias: true, pads: [1, 32, 3], weights: type))
      cases.append(product(seed, [5, 64, 20], beta: 1, pads: [1, 32, 3], weights: type))
    }
    cases.append(batched(seed, broadcast: false))
    cases.append(batched(seed, broadcast: true))
    return cases
  }

  /// C [m, n] from k products an element; `shape` is [m, n, k].  `weights`: the type of b alone.
  private static func product(
    _ seed: UInt64, _ shape: [Int], transA: Bool = false, transB: Bool = false,
    alpha: Double = 1, beta: Double = 0, bias: Bool = false, pads: [Int] = [0, 0, 0],
    dtype: DType = .f32, weights: DType? = nil
  ) -> OperationTrial {
    let (m, n, k) = (shape[0], shape[1], shape[2])
    var label = times(shape)
    if transA { label += ", a transposed" }
    if transB { label += ", b transposed" }
    if alpha != 1 { label += ", alpha \(alpha)" }
    if beta != 0 { label += ", beta \(beta)" }
    if bias { label += ", bias" }
    if pads != [0, 0, 0] { label += ", rows with gaps" }
    if dtype != .f32 { label += ", \(dtype)" }
    if let weights { label += ", b of \(weights)" }
    return OperationTrial(
      label: label, tolerance: 4e-6 * Double(max(k, 1)).squareRoot() + 2e-6,
      operands: {
        var values = TrialValues(seed, m * 7 + n * 3 + k)
        let (a, b) = (transA ? [k, m] : [m, k], transB ? [n, k] : [k, n])
        var all: [OperandSpec] = [
          .input("a", a, values.reals(a), pad: pads[0], dtype: dtype),
          .input("b", b, values.reals(b), pad: pads[1], dtype: weights ?? dtype),
        ]
        if bias { all.append(.input("bias", [n], values.reals([n]), dtype: dtype)) }
        all.append(
          beta == 0
            ? .output("c", [m, n], pad: pads[2], dtype: dtype)
            : .update("c", [m, n], values.reals([m, n]), pad: pads[2], dtype: dtype))
        return all
      },
      call: { set, api, me in
        var args = spar_gemm_args()
        args.flags =
          (transA ? UInt64(SPAR_TRANS_A) : 0) | (transB ? UInt64(SPAR_TRANS_B) : 0)
        args.a = UnsafePointer(set["a"])
        args.b = UnsafePointer(set["b"])
        args.bias = UnsafePointer(set["bias"])
        args.c = set["c"]
        args.alpha = alpha
        args.beta = beta
        return set.call(api.gemm, me, args)
      })
  }

  /// [3, m, k] × [3, n, k]ᵀ; with `broadcast` all matrices share one b (stride 0).
  private static func batched(_ seed: UInt64, broadcast: Bool) -> OperationTrial {
    let (z, m, n, k) = (3, 4, 5, 6)
    return OperationTrial(
      label: "3 matrices of \(times([m, n, k]))" + (broadcast ? ", one b for all" : ""),
      operands: {
        var values = TrialValues(seed, broadcast ? 901 : 902)
        var b = OperandSpec.input("b", [z, n, k], values.reals([z, n, k]))
        b.broadcast = broadcast
        return [.input("a", [z, m, k], values.reals([z, m, k])), b, .output("c", [z, m, n])]
      },
      call: { set, api, me in
        var args = spar_gemm_args()
        args.flags = UInt64(SPAR_TRANS_B)
        args.a = UnsafePointer(set["a"])
        args.b = UnsafePointer(set["b"])
        args.c = set["c"]
        args.alpha = 1
        return set.call(api.gemm, me, args)
      },
      expected: { set in
        let (a, b) = (set.values("a"), set.values("b"))
        var c = [Double](repeating: 0, count: z * m * n)
        for i in 0..<z * m * n {
          let (matrix, row, column) = (i / (m * n), i / n % m, i % n)
          for l in 0..<k {
            c[i] += a[(matrix * m + row) * k + l] * b[(matrix * n + column) * k + l]
          }
        }
        return ["c": c]
      })
  }
}
