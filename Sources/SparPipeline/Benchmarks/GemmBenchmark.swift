import SparCompute
import SparTensor

/// How fast this machine multiplies f32 matrices through a backend.
public struct GemmBenchmark: Sendable, Encodable {
  /// One product: m rows, n columns, inner size k; `kind` says which operand is transposed.
  public struct Row: Sendable, Encodable {
    public var kind: String
    public var m: Int
    public var n: Int
    public var k: Int
    /// GFLOP/s: median of the repetitions, and their range.
    public var median: Double
    public var minimum: Double
    public var maximum: Double
  }

  public var backend: String
  public var threads: Int
  public var rows: [Row]

  /// The rate of the square product of 2048, what "the machine's sgemm rate" means.
  public var square: Double { rows.last?.median ?? 0 }

  public static func run(_ backend: Backend, threads: Int) throws -> GemmBenchmark {
    let tokens = 700
    var rows: [Row] = []
    for (n, k) in [(576, 576), (1536, 576), (576, 1536)] {
      rows.append(try measure(backend, "y = x W^T", tokens, n, k))
      rows.append(try measure(backend, "dx = dy W", tokens, k, n))
      rows.append(try measure(backend, "dW += dy^T x", n, k, tokens))
    }
    rows.append(try measure(backend, "y = x W^T", 40, 1536, 576))
    rows.append(try measure(backend, "square", 1024, 1024, 1024))
    rows.append(try measure(backend, "square", 2048, 2048, 2048))
    return GemmBenchmark(backend: backend.name, threads: threads, rows: rows)
  }

  /// The rate of the square product alone, for shares.
  public static func squareRate(_ backend: Backend) throws -> Double {
    try measure(backend, "square", 2048, 2048, 2048).median
  }

  private static func measure(
    _ backend: Backend, _ kind: String, _ m: Int, _ n: Int, _ k: Int
  ) throws -> Row {
    let isWeightGradient = kind == "dW += dy^T x"
    let a = filled(backend, isWeightGradient ? [k, m] : [m, k])
    let b = filled(backend, kind == "y = x W^T" ? [n, k] : [k, n])
    let c = filled(backend, [m, n])
    let work = 2 * Double(m) * Double(n) * Double(k)
    // Long enough to be above the clock's and the scheduler's noise.
    let calls = max(1, Int(4e9 / work))
    var rates: [Double] = []
    for repetition in 0..<6 {
      let start = ContinuousClock.now
      for _ in 0..<calls {
        try backend.gemm(
          a, b, into: c, transposeA: isWeightGradient, transposeB: kind == "y = x W^T",
          beta: isWeightGradient ? 1 : 0)
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      if repetition > 0 { rates.append(Double(calls) * work / seconds / 1e9) }
    }
    rates.sort()
    return Row(
      kind: kind, m: m, n: n, k: k, median: rates[rates.count / 2], minimum: rates[0],
      maximum: rates[rates.count - 1])
  }

  private static func filled(_ backend: Backend, _ shape: [Int]) -> Tensor {
    var random = Random(seed: 1, stage: .initialise)
    let tensor = backend.tensor(shape)
    for index in 0..<tensor.count { tensor.floats[index] = Float(random.uniform()) * 1e-3 }
    return tensor
  }
}
