import Foundation
import SparCompute
import SparModel
import SparTensor
import Testing

/// What a tap sees of the tiny golden Llama (3 blocks, 48 channels, 160 ids).
@Suite("Activation taps", .enabled(if: shared != nil, "../shared/golden is absent"))
struct ActivationTests {
  /// Keeps everything.
  final class Recorder: ActivationTap {
    var seen: [String: [Float]] = [:]
    var order: [String] = []

    func see(_ site: ActivationSite, layer: Int, _ value: Tensor) {
      let name = "\(site.rawValue)/\(layer)"
      seen[name, default: []] += value.array()
      order.append(name)
    }

    func values(_ name: String) throws -> [Float] { try #require(seen[name], "\(name)") }
  }

  func run(
    _ tiny: GoldenModel, _ ids: [Int32]
  ) throws -> (recorder: Recorder, hidden: [Float]) {
    var batch = PackedBatch()
    batch.append(ids)
    let recorder = Recorder()
    let hidden = try tiny.model.hidden(batch, Graph(tiny.backend), cached: nil, tap: recorder)
    return (recorder, hidden.value.array())
  }

  /// Of the last token of sequence 0, the first four channels, and the norm over all rows, as
  /// transformers 5.23.0 with torch 2.15.0 (CPU, f32) gives them: `hidden_states`, the input of
  /// `model.norm`, and hooks on o_proj and mlp.
  static let expected: [(String, [Float], Float)] = [
    ("residual/0", [0.207937, -0.402555, -0.273625, 0.045514], 10.507137),
    ("attention/1", [-0.974601, 1.384191, 0.124656, 2.15805], 92.827690),
    ("mlp/1", [-1.575288, 2.250933, -6.645783, 1.70331], 204.898178),
    ("residual/1", [-2.341951, 3.232569, -6.794753, 3.906874], 225.127945),
    ("attention/2", [0.424407, -0.624295, 1.380839, 1.700556], 85.771011),
    ("mlp/2", [4.263697, 0.584006, -3.910214, 3.751821], 187.865280),
    ("residual/2", [2.346153, 3.19228, -9.324127, 9.359251], 311.497711),
    ("attention/3", [2.303334, -2.760494, -5.197899, 1.200825], 88.281837),
    ("mlp/3", [-1.66667, -5.427555, 4.716219, 1.616797], 199.476959),
    ("residual/3", [2.982817, -4.995769, -9.805807, 12.176873], 371.452271),
  ]

  @Test("every site at every layer is what transformers has there", arguments: testBackends)
  func golden(backend: TestBackend) throws {
    let tiny = try GoldenModel("llama", backend.make())
    let (recorder, hidden) = try run(tiny, try tiny.expected.ids("ids.0"))
    #expect(recorder.order == Self.expected.map(\.0))
    for (name, values, norm) in Self.expected {
      let found = try recorder.values(name)
      for (own, other) in zip(found.suffix(48), values) {
        #expect(abs(own - other) < 1e-4, "\(name): \(own), \(other)")
      }
      let ownNorm = found.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(abs(ownNorm - norm) < 1e-5 * norm, "\(name): norm \(ownNorm), \(norm)")
    }
    // The last of transformers' hidden_states is normed, as `hidden` is and residual/3 is not.
    for (own, other) in zip(
      hidden.suffix(48), [0.455245, -0.752078, -1.368092, 2.079025] as [Float])
    {
      #expect(abs(own - other) < 1e-4)
    }
  }

  @Test("a block adds its attention and its mlp, bit for bit", arguments: testBackends)
  func sums(backend: TestBackend) throws {
    let tiny = try GoldenModel("llama", backend.make())
    let recorder = try run(tiny, try tiny.expected.ids("ids.1")).recorder
    for layer in 1...3 {
      let before = try recorder.values("residual/\(layer - 1)")
      let attention = try recorder.values("attention/\(layer)")
      let mlp = try recorder.values("mlp/\(layer)")
      let sum = before.indices.map { before[$0] + attention[$0] + mlp[$0] }
      #expect(sum == (try recorder.values("residual/\(layer)")))
    }
  }

  @Test(
    "logits are the head of the norm of the last residual, bit for bit", arguments: testBackends)
  func logits(backend: TestBackend) throws {
    let tiny = try GoldenModel("llama", backend.make())
    let ids = try tiny.expected.ids("ids.1")
    let (recorder, _) = try run(tiny, ids)
    let graph = Graph(tiny.backend)
    let norm = try #require(tiny.model.parameters.first { $0.name == "model.norm.weight" })
    let last = graph.constant(
      Tensor(
        try recorder.values("residual/3"), shape: [ids.count, 48], pool: tiny.backend.pool))
    let normed = try graph.rmsNorm(last, norm, epsilon: tiny.model.config.rmsEpsilon)
    let again = try graph.linear(normed, tiny.model.head).value.array()
    var batch = PackedBatch()
    batch.append(ids)
    let plain = try graph.linear(
      tiny.model.hidden(batch, graph, cached: nil), tiny.model.head
    ).value.array()
    #expect(again == plain)
  }

  @Test("a tap changes no bit, in training either", arguments: testBackends, [false, true])
  func silent(backend: TestBackend, recording: Bool) throws {
    let tiny = try GoldenModel("llama", backend.make())
    var batch = PackedBatch()
    batch.append(try tiny.expected.ids("ids.2"))
    func outcome(_ tap: (any ActivationTap)?) throws -> [[Float]] {
      for parameter in tiny.model.parameters {
        parameter.gradient = recording ? tiny.backend.zeros(parameter.value.shape) : nil
      }
      let graph = Graph(tiny.backend, recording: recording)
      let hidden = try tiny.model.hidden(batch, graph, cached: nil, tap: tap)
      let values = hidden.value.array()
      guard recording else { return [values] }
      try graph.backward(
        from: hidden, gradient: Tensor(values, shape: hidden.value.shape, pool: tiny.backend.pool))
      return [values] + tiny.model.parameters.map { $0.gradient?.array() ?? [] }
    }
    #expect(try outcome(Recorder()) == outcome(nil))
  }

  @Test("decoding with a cache shows what one full pass shows", arguments: testBackends)
  func cached(backend: TestBackend) throws {
    let tiny = try GoldenModel("llama", backend.make())
    let ids = try tiny.expected.ids("ids.0")
    let full = try run(tiny, ids).recorder
    let cache = KVCache(tiny.model.config, slots: ids.count, backend: tiny.backend)
    let stepwise = Recorder()
    // Five tokens of prompt, then one by one.
    for range in [0..<5] + (5..<ids.count).map({ $0..<($0 + 1) }) {
      var batch = PackedBatch()
      batch.ids = Array(ids[range])
      batch.positions = range.map(Int32.init)
      batch.spans = [AttentionSpan(queries: 0..<range.count, keys: 0..<range.upperBound)]
      _ = try tiny.model.hidden(
        batch, Graph(tiny.backend), cached: CachedRows(cache, slots: range.map(Int32.init)),
        tap: stepwise)
    }
    for (name, _, _) in Self.expected {
      let (own, other) = (try stepwise.values(name), try full.values(name))
      try #require(own.count == other.count)
      // Products of one row and of many may add in another order.
      for (a, b) in zip(own, other) { #expect(abs(a - b) < 1e-4, "\(name): \(a), \(b)") }
    }
  }

  @Test("a selection lists what a pass makes, in its order")
  func selection() throws {
    let tiny = try GoldenModel("llama", .reference())
    let all = try ActivationSelection(
      layers: .all, sites: Set(ActivationSite.allCases), config: tiny.model.config)
    #expect(all.series.map(\.name) == Self.expected.map(\.0) + ["logits"])
    #expect(all.series.last?.channels == 160)
    #expect(throws: ActivationError.layer(found: 4, last: 3)) {
      try ActivationSelection(layers: .some([1, 4]), sites: [.mlp], config: tiny.model.config)
    }
    #expect(throws: ActivationError.embedding(sites: [.mlp])) {
      try ActivationSelection(layers: .some([0]), sites: [.mlp], config: tiny.model.config)
    }
  }

  @Test("f16 rounds, and refuses what it cannot hold")
  func half() throws {
    let series = ActivationSeries(site: .mlp, layer: 2, channels: 1)
    func encode(_ values: [Float]) throws -> [UInt8] {
      try values.withUnsafeBufferPointer { try ActivationPrecision.f16.encode($0, of: series) }
    }
    #expect(try encode([1, -2, 65504, 1.0004883]) == [0, 0x3C, 0, 0xC0, 0xFF, 0x7B, 0, 0x3C])
    #expect(throws: ActivationError.overflow(series: "mlp/2", value: 65520)) { try encode([65520]) }
    #expect(throws: ActivationError.notFinite(series: "mlp/2", value: .infinity)) {
      try encode([0, .infinity])
    }
  }
}
