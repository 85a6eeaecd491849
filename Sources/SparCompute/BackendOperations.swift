import CSparPlugin
import SparTensor

/// Rotary tables: cos and sin [P, D/2] of every position.
public struct RotaryTable: Sendable {
  public let cos: Tensor
  public let sin: Tensor

  public init(cos: Tensor, sin: Tensor) {
    self.cos = cos
    self.sin = sin
  }
}

/// Kinds of gated or plain activation; raw values are those of the plugin ABI.
public enum Activation: UInt32, Sendable {
  case relu = 1
  case gelu = 2
  case geluTanh = 3
  case silu = 4
  case tanh = 5
  case sigmoid = 6
}

/// Whether an operation writes its output or adds to it.
public enum Write: Sendable {
  case overwrite
  case accumulate

  var flag: UInt64 { self == .accumulate ? UInt64(SPAR_ACCUMULATE) : 0 }
}

private func size<T>(_: T.Type) -> UInt64 { UInt64(MemoryLayout<T>.size) }

extension Backend {
  /// c = alpha op(a) op(b) + beta c + bias; a, b, c of rank 2, bias [n].
  public func gemm(
    _ a: Tensor, _ b: Tensor, into c: Tensor, transposeA: Bool = false, transposeB: Bool = false,
    bias: Tensor? = nil, alpha: Double = 1, beta: Double = 0
  ) throws(ComputeError) {
    var args = spar_gemm_args()
    args.struct_size = size(spar_gemm_args.self)
    args.flags =
      (transposeA ? UInt64(SPAR_TRANS_A) : 0) | (transposeB ? UInt64(SPAR_TRANS_B) : 0)
    args.a = input(a)
    args.b = input(b)
    args.bias = input(bias)
    args.c = slot(c)
    args.alpha = alpha
    args.beta = beta
    try call("gemm", api.gemm, &args, fast: fallback?.gemm, twin: Reference.gemm)
  }

  /// y = x / rms(x) * weight; x, y [T, C], rstd [T].
  public func rmsNorm(
    _ x: Tensor, weight: Tensor, epsilon: Double, into y: Tensor, rstd: Tensor
  ) throws(ComputeError) {
    try norm(SPAR_NORM_RMS, x, weight, epsilon, into: y, rstd: rstd)
  }

  public func rmsNormBackward(
    _ x: Tensor, weight: Tensor, rstd: Tensor, dy: Tensor, epsilon: Double, dx: Tensor,
    write: Write, dweight: Tensor?
  ) throws(ComputeError) {
    try normBackward(
      SPAR_NORM_RMS, x, weight, epsilon, rstd: rstd, dy: dy, dx: dx, write: write,
      dweight: dweight)
  }

  /// y = (x − mean) / deviation * weight + bias; x, y [T, C], mean and rstd [T].
  public func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double, into y: Tensor, mean: Tensor,
    rstd: Tensor
  ) throws(ComputeError) {
    try norm(SPAR_NORM_LAYER, x, weight, epsilon, bias: bias, into: y, mean: mean, rstd: rstd)
  }

  public func layerNormBackward(
    _ x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor, dy: Tensor, epsilon: Double,
    dx: Tensor, write: Write, dweight: Tensor?, dbias: Tensor?
  ) throws(ComputeError) {
    try normBackward(
      SPAR_NORM_LAYER, x, weight, epsilon, mean: mean, rstd: rstd, dy: dy, dx: dx, write: write,
      dweight: dweight, dbias: dbias)
  }

  private func norm(
    _ kind: Int, _ x: Tensor, _ weight: Tensor, _ epsilon: Double, bias: Tensor? = nil,
    into y: Tensor, mean: Tensor? = nil, rstd: Tensor
  ) throws(ComputeError) {
    var args = spar_norm_args()
    args.struct_size = size(spar_norm_args.self)
    args.x = input(x)
    args.weight = input(weight)
    args.bias = input(bias)
    args.y = slot(y)
    args.mean = slot(mean)
    args.rstd = slot(rstd)
    args.eps = epsilon
    args.kind = UInt32(kind)
    try call("norm", api.norm, &args, fast: fallback?.norm, twin: Reference.norm)
  }

  private func normBackward(
    _ kind: Int, _ x: Tensor, _ weight: Tensor, _ epsilon: Double, mean: Tensor? = nil,
    rstd: Tensor, dy: Tensor, dx: Tensor, write: Write, dweight: Tensor?, dbias: Tensor? = nil
  ) throws(ComputeError) {
    var args = spar_norm_args()
    args.struct_size = size(spar_norm_args.self)
    args.flags = write.flag
    args.x = input(x)
    args.weight = input(weight)
    args.mean = slot(mean)
    args.rstd = slot(rstd)
    args.dy = input(dy)
    args.dx = slot(dx)
    args.dweight = slot(dweight)
    args.dbias = slot(dbias)
    args.eps = epsilon
    args.kind = UInt32(kind)
    try call(
      "norm_bwd", api.norm_bwd, &args, fast: fallback?.normBackward, twin: Reference.normBackward)
  }

  /// Rotates x [T, H, D] in place; `inverse` is the backward pass.
  public func rotary(
    _ x: Tensor, _ table: RotaryTable, positions: [Int32], inverse: Bool = false
  ) throws(ComputeError) {
    var args = spar_rope_args()
    args.struct_size = size(spar_rope_args.self)
    args.flags = inverse ? UInt64(SPAR_INVERSE) : 0
    args.x = slot(x)
    args.cos = input(table.cos)
    args.sin = input(table.sin)
    try positions.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.positions = buffer.baseAddress
      try call("rope", api.rope, &args, fast: fallback?.rotary, twin: Reference.rotary)
    }
  }

  /// y = f(x) * gate, or f(x) without one.
  public func activation(
    _ kind: Activation, _ x: Tensor, gate: Tensor?, into y: Tensor
  ) throws(ComputeError) {
    var args = spar_activation_args()
    args.struct_size = size(spar_activation_args.self)
    args.x = input(x)
    args.gate = input(gate)
    args.y = slot(y)
    args.kind = kind.rawValue
    try call(
      "activation", api.activation, &args, fast: fallback?.activation, twin: Reference.activation)
  }

  public func activationBackward(
    _ kind: Activation, _ x: Tensor, gate: Tensor?, dy: Tensor, dx: Tensor, dgate: Tensor?
  ) throws(ComputeError) {
    var args = spar_activation_args()
    args.struct_size = size(spar_activation_args.self)
    args.x = input(x)
    args.gate = input(gate)
    args.dy = input(dy)
    args.dx = slot(dx)
    args.dgate = slot(dgate)
    args.kind = kind.rawValue
    try call(
      "activation_bwd", api.activation_bwd, &args, fast: fallback?.activationBackward,
      twin: Reference.activationBackward)
  }

  /// y[t] = table[ids[t]]; table [V, C], y [T, C].
  public func embed(_ ids: [Int32], table: Tensor, into y: Tensor) throws(ComputeError) {
    var args = spar_embed_args()
    args.struct_size = size(spar_embed_args.self)
    args.table = input(table)
    args.y = slot(y)
    try ids.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.ids = buffer.baseAddress
      try call("embed", api.embed, &args, twin: Reference.embed)
    }
  }

  /// dtable[ids[t]] += dy[t].
  public func embedBackward(_ ids: [Int32], dy: Tensor, dtable: Tensor) throws(ComputeError) {
    var args = spar_embed_args()
    args.struct_size = size(spar_embed_args.self)
    args.dy = input(dy)
    args.dtable = slot(dtable)
    try ids.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.ids = buffer.baseAddress
      try call("embed_bwd", api.embed_bwd, &args, twin: Reference.embedBackward)
    }
  }

  /// y = alpha x + beta z; y may be x.
  public func add(
    _ x: Tensor, _ z: Tensor, into y: Tensor, alpha: Double = 1, beta: Double = 1
  ) throws(ComputeError) {
    var args = spar_binary_args()
    args.struct_size = size(spar_binary_args.self)
    args.x = input(x)
    args.z = input(z)
    args.y = slot(y)
    args.alpha = alpha
    args.beta = beta
    args.kind = UInt32(SPAR_ADD)
    try call("binary", api.binary, &args, fast: fallback?.binary, twin: Reference.binary)
  }

  /// y[yRows[t]] = x[t]: rows of x to named places, as a KV cache needs.
  public func scatterRows(_ x: Tensor, to yRows: [Int32], of y: Tensor) throws(ComputeError) {
    var args = spar_copy_args()
    args.struct_size = size(spar_copy_args.self)
    args.x = input(x)
    args.y = slot(y)
    args.n_rows = Int64(yRows.count)
    try yRows.withUnsafeBufferPointer { (buffer) throws(ComputeError) in
      args.y_rows = buffer.baseAddress
      try call("copy", api.copy, &args, twin: Reference.copy)
    }
  }

  /// Sum of squares over all of x, in f64 inside.
  public func sumOfSquares(_ x: Tensor) throws(ComputeError) -> Float {
    let out = tensor([1])
    try reduce(SPAR_SUMSQ_ALL, x, into: out)
    return out.floats[0]
  }

  /// Sum over rows: x [T, C] to y [C].
  public func sumRows(_ x: Tensor, into y: Tensor) throws(ComputeError) {
    try reduce(SPAR_SUM_ROWS, x, into: y)
  }

  private func reduce(_ kind: Int, _ x: Tensor, into y: Tensor) throws(ComputeError) {
    var args = spar_reduce_args()
    args.struct_size = size(spar_reduce_args.self)
    args.x = input(x)
    args.y = slot(y)
    args.kind = UInt32(kind)
    try call("reduce", api.reduce, &args, fast: fallback?.reduce, twin: Reference.reduce)
  }
}
