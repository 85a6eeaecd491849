import SparCompute
import SparModel
import SparTensor
import Testing

/// Tiny models of every architecture against values that transformers computed.
@Suite("Golden models")
struct GoldenModelTests {
  @Test("logits and log-probabilities", arguments: GoldenFolder.all, testBackends)
  func logits(folder: GoldenFolder, backend: TestBackend) throws {
    let tiny = try GoldenModel(folder, backend.make())
    for sequence in 0..<3 {
      let ids = try tiny.expected.ids("ids.\(sequence)")
      let graph = Graph(tiny.backend)
      let hidden = try tiny.hidden(ids, graph)
      let rows = try graph.gather(hidden, rows: (0..<Int32(ids.count - 1)).map { $0 })
      let logp = try tiny.model.logps(of: rows, targets: Array(ids.dropFirst()), graph)
      #expect(distance(logp.value.array(), try tiny.expected.floats("logp.\(sequence)")) < 1e-4)
      let logits = try tiny.model.logits(of: hidden, graph).value.array()
      #expect(distance(logits, try tiny.expected.floats("logits.\(sequence)")) < 1e-4)
    }
  }

  @Test("gradients of every parameter", arguments: GoldenFolder.all, testBackends)
  func gradients(folder: GoldenFolder, backend: TestBackend) throws {
    let tiny = try GoldenModel(folder, backend.make())
    let lengths = try tiny.expected.ids("prompt_len")
    let weights = try tiny.expected.floats("weight")
    var batch = ScoringBatch()
    for sequence in 0..<3 {
      let ids = try tiny.expected.ids("ids.\(sequence)")
      let cut = Int(lengths[sequence])
      batch.append(prompt: Array(ids[..<cut]), answers: [Array(ids[cut...])])
    }
    for parameter in tiny.model.parameters {
      parameter.gradient = tiny.backend.zeros(parameter.value.shape)
    }
    let logp = try differentiate(tiny, batch, weights)
    var loss: Float = 0
    for (answer, range) in batch.answers.enumerated() {
      for index in range { loss += weights[answer] * logp[index] }
    }
    #expect(abs(loss - (try tiny.expected.floats("loss"))[0]) < 1e-3)
    for parameter in tiny.model.parameters {
      let expected = try tiny.expected.floats("grad." + parameter.name)
      let found = try #require(parameter.gradient).array()
      let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      // A key's bias moves all scores of a query alike: its gradient is 0 but for rounding.
      let floor: Float = parameter.name.hasSuffix("k_proj.bias") ? 1e-4 : 0
      #expect(error <= max(1e-4 * norm, floor), "\(parameter.name): error \(error) of \(norm)")
    }
  }

  private func differentiate(
    _ tiny: GoldenModel, _ batch: ScoringBatch, _ weights: [Float]
  ) throws -> [Float] {
    let graph = Graph(tiny.backend, recording: true)
    let logp = try tiny.logps(batch, graph)
    var coefficients = [Float](repeating: 0, count: batch.targets.count)
    for (answer, range) in batch.answers.enumerated() {
      for index in range { coefficients[index] = weights[answer] }
    }
    try graph.backward(
      from: logp,
      gradient: Tensor(coefficients, shape: [coefficients.count], pool: tiny.backend.pool))
    return logp.value.array()
  }

  @Test("greedy decoding with a cache", arguments: GoldenFolder.all, testBackends)
  func greedy(folder: GoldenFolder, backend: TestBackend) throws {
    let tiny = try GoldenModel(folder, backend.make())
    let expected = try tiny.expected.ids("greedy")
    let cache = KVCache(tiny.model.config, slots: expected.count, backend: tiny.backend)
    var ids = Array(expected.prefix(6))
    var fed = 0
    while ids.count < expected.count {
      var batch = PackedBatch()
      batch.ids = Array(ids[fed...])
      batch.positions = (fed..<ids.count).map(Int32.init)
      batch.spans = [AttentionSpan(queries: 0..<batch.ids.count, keys: 0..<ids.count)]
      let slots = (fed..<ids.count).map(Int32.init)
      let graph = Graph(tiny.backend)
      let hidden = try tiny.model.hidden(batch, graph, cached: CachedRows(cache, slots: slots))
      let last = try graph.gather(hidden, rows: [Int32(batch.ids.count - 1)])
      let logits = try tiny.model.logits(of: last, graph).value.array()
      fed = ids.count
      ids.append(Int32(logits.indices.max { logits[$0] < logits[$1] } ?? 0))
    }
    #expect(ids == expected)
  }

  @Test(
    "answers sharing a prompt's rows score as they do alone", arguments: GoldenFolder.all,
    testBackends)
  func sharedPrompt(folder: GoldenFolder, backend: TestBackend) throws {
    let tiny = try GoldenModel(folder, backend.make())
    let prompt: [Int32] = [5, 9, 77, 31, 8, 12, 90, 61, 33, 7]
    let answers: [[Int32]] = [[4, 8, 15, 16], [23], [42, 7, 7, 99, 100, 3, 14, 25, 36, 47, 58]]
    var together = ScoringBatch()
    together.append(prompt: prompt, answers: answers)
    let shared = try tiny.logps(together, Graph(tiny.backend)).value.array()
    for (index, answer) in answers.enumerated() {
      var alone = ScoringBatch()
      alone.append(prompt: prompt, answers: [answer])
      let own = try tiny.logps(alone, Graph(tiny.backend)).value.array()
      #expect(distance(Array(shared[together.answers[index]]), own) < 1e-5)
    }
  }
}
