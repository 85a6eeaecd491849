import SparCompute
import SparModel
import SparTensor

/// The rate of single-precision matrix products, c = a bᵀ, on one backend.
struct SgemmMeter {
  let backend: Backend

  struct Shape: Encodable, Equatable {
    var name: String
    var m: Int
    var n: Int
    var k: Int

    var operations: Double { 2 * Double(m) * Double(n) * Double(k) }
  }

  static let squares = [1024, 2048].map { Shape(name: "square \($0)", m: $0, n: $0, k: $0) }

  /// The products of a forward pass over `rows` tokens, and how often each occurs.
  static func shapes(of config: ModelConfig, rows: Int) -> [(shape: Shape, count: Int)] {
    let (C, I) = (config.hiddenSize, config.intermediateSize)
    let (q, kv) = (config.heads * config.headSize, config.keyHeads * config.headSize)
    return [
      (Shape(name: "query, output", m: rows, n: q, k: C), 2 * config.layers),
      (Shape(name: "key, value", m: rows, n: kv, k: C), 2 * config.layers),
      (Shape(name: "gate, up", m: rows, n: I, k: C), 2 * config.layers),
      (Shape(name: "down", m: rows, n: C, k: I), config.layers),
      (Shape(name: "head", m: rows, n: config.vocabularySize, k: C), 1),
    ]
  }

  /// GFLOP/s of one product, repeated for at least `seconds`.
  func measure(_ shape: Shape, seconds: Double = 0.4) throws -> Spread {
    let a = backend.tensor([shape.m, shape.k])
    let b = backend.tensor([shape.n, shape.k])
    let c = backend.tensor([shape.m, shape.n])
    for tensor in [a, b] {
      // Neither zeros nor denormals: both have speeds of their own.
      for i in 0..<tensor.count { tensor.floats[i] = Float((i * 7919) % 1009) / 1009 - 0.5 }
    }
    try backend.gemm(a, b, into: c, transposeB: true)
    var rates: [Double] = []
    let start = ContinuousClock.now
    while rates.count < 3 || (ContinuousClock.now - start) / .seconds(1) < seconds {
      let begin = ContinuousClock.now
      try backend.gemm(a, b, into: c, transposeB: true)
      rates.append(shape.operations / ((ContinuousClock.now - begin) / .seconds(1)) / 1e9)
    }
    return Spread(rates)
  }

  /// The rate that all products of a forward pass allow together, from medians.
  func rate(of config: ModelConfig, rows: Int, seconds: Double) throws -> Double {
    var operations = 0.0
    var time = 0.0
    for (shape, count) in Self.shapes(of: config, rows: rows) {
      let all = shape.operations * Double(count)
      operations += all
      time += all / (try measure(shape, seconds: seconds).median * 1e9)
    }
    return operations / time / 1e9
  }
}
