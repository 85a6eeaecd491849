import SparCompute
import SparModel
import SparTensor
import Testing

/// Laws of every architecture, on the tiny random models.
@Suite("Decoders")
struct DecoderTests {
  /// Random ids of the vocabulary's common part.
  func ids(_ count: Int, seed: UInt64) -> [Int32] {
    var random = Random(seed: seed, stage: .shuffle)
    return (0..<count).map { _ in 3 + Int32(random.uniform() * 100) }
  }

  @Test(
    "answers decoded together over cached prompts have the logits of one full pass each",
    arguments: GoldenFolder.all, testBackends)
  func decoding(folder: GoldenFolder, backend: TestBackend) throws {
    let tiny = try GoldenModel(folder, backend.make())
    // Two prompts, one longer and one shorter than the windows; two answers of the first.
    let prompts = [ids(13, seed: 1), ids(4, seed: 2)]
    let answers = [0, 0, 1].enumerated().map { ($1, ids(10, seed: 7 + UInt64($0))) }
    let cache = KVCache(tiny.model.config, slots: 17 + 30, backend: tiny.backend)
    let prefixes = [0..<13, 13..<17]
    for (prompt, prefix) in zip(prompts, prefixes) {
      var batch = PackedBatch()
      batch.append(prompt)
      batch.spans = [AttentionSpan(queries: 0..<prompt.count, keys: prefix)]
      _ = try tiny.model.hidden(
        batch, Graph(tiny.backend), cached: CachedRows(cache, slots: prefix.map(Int32.init)))
    }
    var stepwise = [[Float]](repeating: [], count: answers.count)
    for step in 0..<10 {
      var batch = PackedBatch()
      var slots: [Int32] = []
      for (row, (prompt, answer)) in answers.enumerated() {
        let first = 17 + 10 * row
        batch.ids.append(answer[step])
        batch.positions.append(Int32(prompts[prompt].count + step))
        batch.spans.append(
          AttentionSpan(
            queries: row..<(row + 1), prefix: prefixes[prompt], keys: first..<(first + step + 1)))
        slots.append(Int32(first + step))
      }
      let graph = Graph(tiny.backend)
      let hidden = try tiny.model.hidden(batch, graph, cached: CachedRows(cache, slots: slots))
      let logits = try tiny.model.logits(of: hidden, graph).value.array()
      let width = logits.count / answers.count
      for row in answers.indices { stepwise[row] += logits[(row * width)..<((row + 1) * width)] }
    }
    for (row, (prompt, answer)) in answers.enumerated() {
      let graph = Graph(tiny.backend)
      let hidden = try tiny.hidden(prompts[prompt] + answer, graph)
      let full = try tiny.model.logits(of: hidden, graph).value.array()
      #expect(distance(stepwise[row], Array(full.suffix(stepwise[row].count))) < 1e-4)
    }
  }

  @Test("sequences packed together have the hidden states they have alone", arguments: testBackends)
  func packing(backend: TestBackend) throws {
    for folder in GoldenFolder.all {
      let tiny = try GoldenModel(folder, backend.make())
      let sequences = [ids(20, seed: 3), ids(1, seed: 4), ids(9, seed: 5)]
      var batch = PackedBatch()
      let rows = sequences.map { batch.append($0) }
      let together = try tiny.model.hidden(batch, Graph(tiny.backend), cached: nil).value
      for (sequence, range) in zip(sequences, rows) {
        let alone = try tiny.hidden(sequence, Graph(tiny.backend)).value.array()
        #expect(distance(together.rows(range).array(), alone) < 2e-5, "\(folder)")
      }
    }
  }

  @Test("a window hides what lies before it, and only that", arguments: ["mistral-old", "phi3"])
  func window(name: String) throws {
    let folder = try #require(GoldenFolder.own.first { $0.name == name })
    let tiny = try GoldenModel(folder, .reference())
    // Two layers of 6: a row sees itself and the 10 before it.
    func last(_ first: Int32) throws -> [Float] {
      try tiny.hidden([first] + ids(11, seed: 6), Graph(tiny.backend)).value.array().suffix(32)
        .map { $0 }
    }
    #expect(try last(50) == last(60))
    func tenth(_ first: Int32) throws -> [Float] {
      try tiny.hidden([first] + ids(10, seed: 6), Graph(tiny.backend)).value.array().suffix(32)
        .map { $0 }
    }
    #expect(try tenth(50) != tenth(60))
  }

  @Test("the number of parameters is what the model holds", arguments: GoldenFolder.all)
  func parameterCount(folder: GoldenFolder) throws {
    let model = try GoldenModel(folder, .reference()).model
    #expect(model.config.parameterCount == model.parameters.reduce(0) { $0 + $1.value.count })
  }

  @Test("a position that the model has not is an error")
  func tooLong() throws {
    let folder = try #require(GoldenFolder.own.first { $0.name == "phi3-longrope" })
    let tiny = try GoldenModel(folder, .reference())
    // 96 positions, but from 48 on every row would need the long divisors.
    #expect(tiny.model.config.maxPositions == 48)
    _ = try tiny.hidden(ids(48, seed: 1), Graph(tiny.backend))
    #expect(throws: ModelError(.promptTooLong(tokens: 49, limit: 48), path: folder.path)) {
      try tiny.hidden(ids(49, seed: 1), Graph(tiny.backend))
    }
  }

  @Test("an adapter of a fused weight corrects each of its parts")
  func fusedAdapter() throws {
    let folder = try #require(GoldenFolder.own.first { $0.name == "phi3" })
    let tiny = try GoldenModel(folder, .reference())
    let attached = try tiny.model.attachAdapters(
      LowRankOptions(rank: 2, targets: ["qkv_proj"]), seed: 1, backend: tiny.backend)
    for adapter in attached {
      for index in 0..<adapter.value.count {
        adapter.value.floats[index] += 0.01 * Float(index % 7)
      }
    }
    let adapted = try tiny.hidden(ids(9, seed: 1), Graph(tiny.backend)).value.array()
    try tiny.model.mergeAdapters(tiny.backend)
    let merged = try tiny.hidden(ids(9, seed: 1), Graph(tiny.backend)).value.array()
    #expect(distance(adapted, merged) < 1e-4)
    let plain = try GoldenModel(folder, .reference())
    let before = try plain.hidden(ids(9, seed: 1), Graph(plain.backend)).value.array()
    #expect(distance(adapted, before) > 1e-2)
  }
}
