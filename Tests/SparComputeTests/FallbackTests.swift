import CSparPlugin
import SparCompute
import SparTensor
import Synchronization
import Testing

/// What the host does for an operation that a plugin lacks is what the plain twin defines.
@Suite("Fallbacks") struct FallbackTests {
  /// Plugins with gaps.
  enum Plugin: CaseIterable {
    /// Not one operation.
    case empty
    /// gemm of matrices, which declines leading axes; counted in `counter`.
    case gemm
  }

  let plain = Backend.reference()

  func backend(_ plugin: Plugin) -> Backend {
    var api = spar_backend_api()
    if plugin == .gemm {
      api.gemm = { _, args in
        counter.add(1, ordering: .relaxed)
        return twins.gemm(nil, args)
      }
    }
    return Backend(api: api, instance: nil, name: "gaps", loops: ParallelLoops())
  }

  func random(_ shape: [Int], _ item: Int) -> Tensor {
    var random = Random(seed: 11, stage: .initialise, item: item)
    return Tensor(
      (0..<shape.reduce(1, *)).map { _ in Float(random.uniform() * 2 - 1) }, shape: shape,
      pool: plain.pool)
  }

  /// Runs `body` on both; outputs are fresh tensors of the given shapes with the same content.
  func compare(
    _ outputs: [[Int]], by plugin: Plugin = .empty, tolerance: Float = 2e-5,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Backend, [Tensor]) throws -> Void
  ) throws {
    let results = try [plain, backend(plugin)].map { backend in
      let tensors = outputs.enumerated().map { random($0.element, 100 + $0.offset) }
      try body(backend, tensors)
      return tensors.map { $0.array() }
    }
    for index in outputs.indices {
      let (expected, found) = (results[0][index], results[1][index])
      let scale = max(1, expected.filter(\.isFinite).map(abs).max() ?? 1)
      let worst =
        zip(expected, found).map { e, f in
          e == f ? 0 : f.isNaN || e.isNaN ? .infinity : abs(e - f)
        }.max() ?? 0
      #expect(
        worst <= tolerance * scale, "output \(index) is off by \(worst)",
        sourceLocation: sourceLocation)
    }
  }

  @Test("products, transposed, added and with a bias", arguments: Plugin.allCases)
  func products(plugin: Plugin) throws {
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
      let a = random(ta ? [17, 70] : [70, 17], 1)
      let b = random(tb ? [53, 17] : [17, 53], 2)
      for (beta, bias) in [(0.0, nil), (0.5, random([53], 3))] {
        try compare([[70, 53]], by: plugin) {
          try $0.gemm(
            a, b, into: $1[0], transposeA: ta, transposeB: tb, bias: bias, alpha: 0.7, beta: beta)
        }
      }
    }
  }

  @Test("norm, forward and backward") func norm() throws {
    let (x, w, dy) = (random([150, 37], 1), random([37], 2), random([150, 37], 3))
    let rstd = plain.tensor([150])
    try compare([[150, 37], [150]]) {
      try $0.rmsNorm(x, weight: w, epsilon: 1e-5, into: $1[0], rstd: $1[1])
    }
    try plain.rmsNorm(x, weight: w, epsilon: 1e-5, into: plain.tensor([150, 37]), rstd: rstd)
    for write in [Write.overwrite, .accumulate] {
      try compare([[150, 37], [37]]) {
        try $0.rmsNormBackward(
          x, weight: w, rstd: rstd, dy: dy, epsilon: 1e-5, dx: $1[0], write: write, dweight: $1[1])
      }
    }
  }

  @Test("rotary embedding and its inverse", arguments: [false, true]) func rotary(inverse: Bool)
    throws
  {
    let table = RotaryTable(cos: random([20, 4], 1), sin: random([20, 4], 2))
    try compare([[9, 3, 8]]) {
      try $0.rotary($1[0], table, positions: (0..<9).map { Int32($0 * 2) }, inverse: inverse)
    }
  }

  @Test("activations", arguments: [Activation.relu, .gelu, .geluTanh, .silu, .tanh, .sigmoid])
  func activation(kind: Activation) throws {
    let (x, gate, dy) = (random([13, 41], 1), random([13, 41], 2), random([13, 41], 3))
    for gate in [nil, gate] {
      try compare([[13, 41]]) { try $0.activation(kind, x, gate: gate, into: $1[0]) }
      try compare([[13, 41], [13, 41]]) {
        try $0.activationBackward(
          kind, x, gate: gate, dy: dy, dx: $1[0], dgate: gate == nil ? nil : $1[1])
      }
    }
  }

  @Test("softmax, masked or not, forward and backward") func softmax() throws {
    let (x, dy) = (random([7, 45], 1), random([7, 45], 2))
    for mask in [nil, random([45], 3), random([7, 45], 4)] {
      try compare([[7, 45]]) { try $0.softmax(x, mask: mask, scale: 3, into: $1[0]) }
    }
    let y = plain.tensor([7, 45])
    try plain.softmax(x, scale: 3, into: y)
    try compare([[7, 45]]) { try $0.softmaxBackward(y: y, dy: dy, scale: 3, dx: $1[0]) }
  }

  @Test("log-probabilities of logits, forward and backward") func logp() throws {
    let (logits, coef) = (random([5, 60], 1), random([5], 2))
    let targets: [Int32] = [0, -1, 59, 30, -1]
    try compare([[5], [5], [5]]) {
      try $0.logp(
        logits, targets: targets, inverseTemperature: 2, logp: $1[0], lse: $1[1], entropy: $1[2])
    }
    let lse = plain.tensor([5])
    try plain.logSumExp(logits, inverseTemperature: 2, into: lse)
    try compare([[5, 60]]) {
      try $0.logpBackward(
        logits, targets: targets, inverseTemperature: 2, lse: lse, coef: coef, dlogits: $1[0])
    }
  }

  @Test("sums, reductions, fills") func pointwise() throws {
    let (x, z) = (random([300, 251], 1), random([300, 251], 2))
    try compare([[300, 251]]) { try $0.add(x, z, into: $1[0], alpha: 2, beta: -0.5) }
    try compare([[300, 251]]) { try $0.add(x, z.rows(0..<1), into: $1[0]) }
    try compare([[251]]) { try $0.sumRows(x, into: $1[0]) }
    try compare([[1]]) { $1[0].floats[0] = try $0.sumOfSquares(x) }
    try compare([[3, 5]]) { try $0.fill($1[0], 2.5) }
  }

  @Test("one step of an optimizer") func optimizer() throws {
    let g = random([70, 30], 1)
    let rules: [UpdateRule] = [
      .adamW(beta1: 0.9, beta2: 0.99, epsilon: 1e-8),
      .rmsProp(alpha: 0.9, epsilon: 1e-6, momentum: 0.5),
    ]
    for rule in rules {
      try compare([[70, 30], [70, 30], [70, 30]]) {
        try $0.add($1[2], $1[2], into: $1[2], alpha: 0, beta: 0)  // a second moment is no negative
        try $0.optimizerStep(
          rule, p: $1[0], m: $1[1], v: $1[2], g: g, learningRate: 1e-3, weightDecay: 0.1,
          gradientScale: 0.5, step: 3)
      }
    }
  }

  /// Several blocks of queries, few queries, a shared prefix, keys that nobody sees, queries that
  /// see nothing.
  static let spans = AttentionSpans([
    AttentionSpan(queries: 0..<140, keys: 0..<140),
    AttentionSpan(queries: 140..<160, prefix: 0..<60, keys: 140..<165),
    AttentionSpan(queries: 160..<161, prefix: 3..<60, keys: 160..<161),
    AttentionSpan(queries: 161..<164, prefix: 0..<60, keys: 163..<164),
    AttentionSpan(queries: 164..<172, keys: 170..<172),
  ])

  @Test("attention over spans", arguments: Plugin.allCases, [0, 9])
  func attention(plugin: Plugin, window: Int) throws {
    let (rows, heads, keyHeads, size) = (175, 6, 2, 16)
    let q = random([rows, heads, size], 1)
    let k = random([rows, keyHeads, size], 2)
    let v = random([rows, keyHeads, size], 3)
    let dO = random([rows, heads, size], 4)
    let shape = AttentionScale(scale: 1.5, window: window, softcap: window > 0 ? 3 : 0)
    try compare([q.shape, [rows, heads]], by: plugin) {
      try $0.attention(q, k, v, Self.spans, shape, into: $1[0], lse: $1[1])
    }
    let (o, lse) = (plain.zeros(q.shape), plain.zeros([rows, heads]))
    try plain.attention(q, k, v, Self.spans, shape, into: o, lse: lse)
    try compare([q.shape, k.shape, v.shape], by: plugin) {
      try $0.attentionBackward(
        q, k, v, o: o, lse: lse, dO: dO, Self.spans, shape, dq: $1[0], dk: $1[1], dv: $1[2])
    }
  }

  @Test("attention with relative positions", arguments: Plugin.allCases)
  func relativeAttention(plugin: Plugin) throws {
    let (rows, heads, size) = (190, 3, 16)
    let shape = [rows, heads, size]
    let (q, k, v, dO) = (random(shape, 1), random(shape, 2), random(shape, 3), random(shape, 4))
    let tables = PositionTables(
      keys: random([61, heads, size], 5), queries: random([61, heads, size], 6))
    let buckets = (-60...60).map { (distance: Int) -> Int32 in
      let row = min(abs(distance), 15 + abs(distance) / 4)
      return Int32(30 + distance.signum() * row)
    }
    let positions = RelativePositions(
      buckets: buckets, spans: [0..<150, 150..<151, 151..<190])
    try compare([shape, [rows, heads]], by: plugin) {
      try $0.relativeAttention(
        q, k, v, tables, positions, scale: 0.5, into: $1[0], lse: $1[1])
    }
    let (o, lse) = (plain.zeros(shape), plain.zeros([rows, heads]))
    try plain.relativeAttention(q, k, v, tables, positions, scale: 0.5, into: o, lse: lse)
    try compare([shape, shape, shape, [61, heads, size], [61, heads, size]], by: plugin) {
      try $0.relativeAttentionBackward(
        q, k, v, tables, o: o, lse: lse, dO: dO, positions, scale: 0.5, dq: $1[0], dk: $1[1],
        dv: $1[2], dTables: PositionTables(keys: $1[3], queries: $1[4]))
    }
  }

  @Test("attention of a group of more heads than a kernel takes") func manyHeads() throws {
    let (q, k, v) = (random([3, 20, 8], 1), random([3, 1, 8], 2), random([3, 1, 8], 3))
    let spans = AttentionSpans([AttentionSpan(queries: 0..<3, keys: 0..<3)])
    try compare([q.shape, [3, 20]]) {
      try $0.attention(q, k, v, spans, AttentionScale(scale: 1), into: $1[0], lse: $1[1])
    }
  }

  @Test(
    "the linear head, over blocks of tokens and vocabulary", arguments: Plugin.allCases, [0.0, 2])
  func linearLogp(plugin: Plugin, softcap: Double) throws {
    let (tokens, vocabulary, channels) = (700, 2100, 5)
    let (h, w) = (random([tokens, channels], 1), random([vocabulary, channels], 2))
    let coef = random([tokens], 3)
    let targets = (0..<tokens).map { Int32($0 % 7 == 3 ? -1 : $0 * 997 % vocabulary) }
    try compare([[tokens], [tokens], [tokens], [tokens]], by: plugin) {
      try $0.linearLogp(
        h, weight: w, targets: targets, logp: $1[0], lse: $1[1], entropy: $1[2],
        sumOfSquares: $1[3], softcap: softcap)
    }
    let (logp, lse) = (plain.tensor([tokens]), plain.tensor([tokens]))
    try plain.linearLogp(h, weight: w, targets: targets, logp: logp, lse: lse, softcap: softcap)
    for write in [Write.overwrite, .accumulate] {
      try compare([h.shape, w.shape], by: plugin) {
        try $0.linearLogpBackward(
          h, weight: w, targets: targets, lse: lse, coef: coef, softcap: softcap, dh: $1[0],
          write: write, dweight: $1[1])
      }
    }
  }

  @Test("composites multiply with the plugin's own gemm") func composed() throws {
    let backend = backend(.gemm)
    let before = counter.load(ordering: .relaxed)
    let x = random([40, 2, 8], 1)
    let spans = AttentionSpans([AttentionSpan(queries: 0..<40, keys: 0..<40)])
    try backend.attention(
      x, x, x, spans, AttentionScale(scale: 1), into: backend.tensor(x.shape),
      lse: backend.tensor([40, 2]))
    // Declined once with leading axes and then asked for two matrices, before and after softmax.
    #expect(counter.load(ordering: .relaxed) - before >= 6)
  }

  @Test("a plugin's failure inside a composite is the plugin's failure") func failure() throws {
    var api = spar_backend_api()
    api.gemm = { _, _ in Int32(SPAR_E_DEVICE) }
    let backend = Backend(
      api: api, instance: nil, name: "broken", loops: ParallelLoops(), errorText: { "no device" })
    let x = random([40, 2, 8], 1)
    let spans = AttentionSpans([AttentionSpan(queries: 0..<40, keys: 0..<40)])
    let error = #expect(throws: ComputeError.self) {
      try backend.attention(
        x, x, x, spans, AttentionScale(scale: 1), into: backend.tensor(x.shape),
        lse: backend.tensor([40, 2]))
    }
    #expect(error?.reason == .plugin(status: Int32(SPAR_E_DEVICE), text: "no device"))
    #expect(error?.operation == "attention")
  }
}

private let twins = referenceTable()
private let counter = Atomic<Int>(0)
