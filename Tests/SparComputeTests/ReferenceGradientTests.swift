import SparCompute
import SparTensor
import Testing

/// Every backward operation of the reference is the derivative of its forward.
@Suite("Reference gradients") struct ReferenceGradientTests {
  let backend = Backend.reference()

  func random(_ shape: [Int], _ item: Int) -> Tensor {
    var random = Random(seed: 7, stage: .initialise, item: item)
    let count = shape.reduce(1, *)
    return Tensor(
      (0..<count).map { _ in Float(random.uniform() * 2 - 1) }, shape: shape, pool: backend.pool)
  }

  /// Compares d Σ weight·f / d parameter with central differences at every element.
  func check(
    _ parameters: [Parameter], _ build: (Graph) throws -> Variable,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let graph = Graph(backend, recording: true)
    let output = try build(graph)
    let weight = random(output.value.shape, 99)
    for parameter in parameters { parameter.gradient = backend.zeros(parameter.value.shape) }
    try graph.backward(from: output, gradient: weight)
    func loss() throws -> Double {
      let y = try build(Graph(backend)).value
      return zip(y.array(), weight.array()).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let step: Float = 1e-2
    for parameter in parameters {
      let gradient = try #require(parameter.gradient).array()
      for index in 0..<parameter.value.count {
        let kept = parameter.value.floats[index]
        parameter.value.floats[index] = kept + step
        let up = try loss()
        parameter.value.floats[index] = kept - step
        let down = try loss()
        parameter.value.floats[index] = kept
        let expected = (up - down) / Double(2 * step)
        #expect(
          abs(Double(gradient[index]) - expected) < 2e-3 * max(1, abs(expected)),
          "\(parameter.name)[\(index)]: \(gradient[index]) against \(expected)",
          sourceLocation: sourceLocation)
      }
    }
  }

  @Test("linear with bias") func linear() throws {
    let table = Parameter(name: "x", value: random([5, 3], 1))
    let weight = Parameter(name: "w", value: random([4, 3], 2))
    let bias = Parameter(name: "b", value: random([4], 3))
    try check([table, weight, bias]) {
      try $0.linear($0.embed([0, 4, 2, 2], table: table), weight, bias: bias)
    }
  }

  @Test("linear with a low-rank adapter, trained alone and with its weight")
  func adapter() throws {
    let table = Parameter(name: "x", value: random([5, 3], 1))
    let weight = Parameter(name: "w", value: random([4, 3], 2))
    let a = Parameter(name: "a", value: random([2, 3], 3))
    let b = Parameter(name: "b", value: random([4, 2], 4))
    weight.adapter = LowRankAdapter(a: a, b: b, scale: 0.5)
    let build: (Graph) throws -> Variable = {
      try $0.linear($0.embed([0, 4, 2, 2], table: table), weight)
    }
    try check([table, weight, a, b], build)
    weight.gradient = nil
    try check([a, b, table], build)
    #expect(weight.gradient == nil)
  }

  @Test("norm, with the residual sharing its input") func norm() throws {
    let table = Parameter(name: "x", value: random([5, 6], 1))
    let weight = Parameter(name: "w", value: random([6], 2))
    try check([table, weight]) {
      let x = try $0.embed([3, 1, 3], table: table)
      return try $0.add(x, $0.rmsNorm(x, weight, epsilon: 1e-5))
    }
  }

  @Test("gated activations", arguments: [Activation.silu, .gelu, .geluTanh, .tanh, .sigmoid])
  func gated(kind: Activation) throws {
    let a = Parameter(name: "gate", value: random([3, 4], 1))
    let b = Parameter(name: "up", value: random([3, 4], 2))
    try check([a, b]) {
      try $0.gated(kind, gate: $0.embed([0, 1, 2], table: a), up: $0.embed([2, 1, 0], table: b))
    }
  }

  @Test("grouped attention over spans with a shared prefix", arguments: [0, 3])
  func attention(window: Int) throws {
    let (heads, keyHeads, size) = (4, 2, 4)
    let rows = 7
    let q = Parameter(name: "q", value: random([rows, heads * size], 1))
    let k = Parameter(name: "k", value: random([rows, keyHeads * size], 2))
    let v = Parameter(name: "v", value: random([rows, keyHeads * size], 3))
    let spans = AttentionSpans([
      AttentionSpan(queries: 0..<3, keys: 0..<3),
      AttentionSpan(queries: 3..<5, prefix: 0..<3, keys: 3..<5),
      AttentionSpan(queries: 5..<7, prefix: 0..<3, keys: 5..<7),
    ])
    let all = (0..<rows).map(Int32.init)
    try check([q, k, v]) {
      try $0.attention(
        q: $0.embed(all, table: q), k: $0.embed(all, table: k), v: $0.embed(all, table: v),
        heads: heads, keyHeads: keyHeads, spans,
        AttentionScale(scale: 0.5, window: window, softcap: window > 0 ? 2 : 0))
    }
  }

  @Test("layer norm, with the residual sharing its input") func layerNorm() throws {
    let table = Parameter(name: "x", value: random([5, 6], 1))
    let weight = Parameter(name: "w", value: random([6], 2))
    let bias = Parameter(name: "b", value: random([6], 3))
    try check([table, weight, bias]) {
      let x = try $0.embed([3, 1, 3], table: table)
      return try $0.add(x, $0.layerNorm(x, weight, bias: bias, epsilon: 1e-5))
    }
  }

  @Test("plain activations") func activated() throws {
    let x = Parameter(name: "x", value: random([3, 4], 1))
    try check([x]) { try $0.activated(.gelu, $0.embed([0, 1, 2, 1], table: x)) }
  }

  @Test(
    "attention with relative positions", arguments: [(true, true), (true, false), (false, true)])
  func relativeAttention(terms: (keys: Bool, queries: Bool)) throws {
    let (heads, size, rows) = (2, 3, 6)
    let q = Parameter(name: "q", value: random([rows, heads * size], 1))
    let k = Parameter(name: "k", value: random([rows, heads * size], 2))
    let v = Parameter(name: "v", value: random([rows, heads * size], 3))
    let keyTable = Parameter(name: "pk", value: random([5, heads * size], 4))
    let queryTable = Parameter(name: "pq", value: random([5, heads * size], 5))
    let positions = RelativePositions(buckets: [0, 1, 1, 2, 3, 3, 4], spans: [0..<4, 4..<6])
    let all = (0..<rows).map(Int32.init)
    let used = [q, k, v] + (terms.keys ? [keyTable] : []) + (terms.queries ? [queryTable] : [])
    try check(used) {
      try $0.relativeAttention(
        q: $0.embed(all, table: q), k: $0.embed(all, table: k), v: $0.embed(all, table: v),
        keyTable: terms.keys ? $0.embed(Array(0..<5), table: keyTable) : nil,
        queryTable: terms.queries ? $0.embed(Array(0..<5), table: queryTable) : nil, heads: heads,
        positions, scale: 0.7)
    }
  }

  @Test("rotary embedding") func rotary() throws {
    let x = Parameter(name: "x", value: random([3, 8], 1))
    let angles = (0..<20).map { Float($0) * 0.37 }
    let table = RotaryTable(
      cos: Tensor(angles.map { cosine($0) }, shape: [10, 2], pool: backend.pool),
      sin: Tensor(angles.map { cosine($0 - 1.5707964) }, shape: [10, 2], pool: backend.pool))
    try check([x]) {
      try $0.rotary($0.embed([0, 1, 2], table: x), heads: 2, table, positions: [4, 0, 9])
    }
  }

  /// Enough of a cosine for a test, without another import.
  func cosine(_ x: Float) -> Float {
    var term: Double = 1
    var sum = 1.0
    let y = Double(x).remainder(dividingBy: 2 * .pi)
    for n in 1..<14 {
      term *= -y * y / Double((2 * n - 1) * (2 * n))
      sum += term
    }
    return Float(sum)
  }

  @Test("linear head with log-probabilities, soft-capped or not", arguments: [0.0, 3])
  func logProbabilities(softcap: Double) throws {
    let h = Parameter(name: "h", value: random([4, 3], 1))
    let w = Parameter(name: "w", value: random([6, 3], 2))
    try check([h, w]) {
      try $0.linearLogp(
        $0.gather($0.embed([0, 1, 2, 3], table: h), rows: [1, 1, 3, 0]), w,
        targets: [5, 0, 2, -1], softcap: softcap)
    }
  }
}
