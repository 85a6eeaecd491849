import Foundation
import SparCompute
import SparModel
import SparTensor
import Testing

/// A tiny Llama against values that transformers computed.
@Suite("Golden Llama", .enabled(if: shared != nil, "../shared/golden is absent"))
struct GoldenLlamaTests {
  struct Case {
    let model: any Architecture
    let backend: Backend
    let expected: SafetensorsFolderFile
    let name: String
  }

  /// expected.safetensors, read by name.
  struct SafetensorsFolderFile {
    let file: SafetensorsFile

    func floats(_ name: String) throws -> [Float] {
      let entry = try #require(file.entry(name))
      var values = [Float](repeating: 0, count: entry.count)
      try values.withUnsafeMutableBufferPointer { try file.read(name, into: $0) }
      return values
    }

    func ids(_ name: String) throws -> [Int32] {
      try file.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
    }
  }

  func load(_ name: String, _ backend: Backend) throws -> Case {
    let folder = try #require(shared) + "/golden/models/\(name)"
    let config = try ModelConfig(
      json: Data(contentsOf: URL(fileURLWithPath: folder + "/config.json")), path: folder)
    let weights = try SafetensorsFolder(folder)
    let model = try Architectures.make(config, backend: backend, path: folder) { name, shape in
      let value = backend.tensor(shape)
      try weights.read(
        name, into: UnsafeMutableBufferPointer(start: value.floats, count: value.count))
      return Parameter(name: name, value: value)
    }
    return Case(
      model: model, backend: backend,
      expected: .init(file: try SafetensorsFile(folder + "/expected.safetensors")), name: name)
  }

  @Test("logits and log-probabilities", arguments: ["llama", "llama3"], testBackends)
  func logits(name: String, backend: TestBackend) throws {
    let tiny = try load(name, backend.make())
    for sequence in 0..<3 {
      let ids = try tiny.expected.ids("ids.\(sequence)")
      var batch = PackedBatch()
      batch.append(ids)
      let graph = Graph(tiny.backend)
      let hidden = try tiny.model.hidden(batch, graph, cached: nil)
      let logits = try graph.linear(hidden, tiny.model.head).value.array()
      #expect(distance(logits, try tiny.expected.floats("logits.\(sequence)")) < 1e-4)
      let rows = try graph.gather(hidden, rows: (0..<Int32(ids.count - 1)).map { $0 })
      let logp = try graph.linearLogp(rows, tiny.model.head, targets: Array(ids.dropFirst()))
      #expect(distance(logp.value.array(), try tiny.expected.floats("logp.\(sequence)")) < 1e-4)
    }
  }

  @Test("gradients of every parameter", arguments: ["llama", "llama3"], testBackends)
  func gradients(name: String, backend: TestBackend) throws {
    let tiny = try load(name, backend.make())
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
    let graph = Graph(tiny.backend, recording: true)
    let hidden = try tiny.model.hidden(batch.packed, graph, cached: nil)
    let rows = try graph.gather(hidden, rows: batch.heads)
    let logp = try graph.linearLogp(rows, tiny.model.head, targets: batch.targets)
    var coefficients = [Float](repeating: 0, count: batch.targets.count)
    var loss: Float = 0
    let values = logp.value.array()
    for (answer, range) in batch.answers.enumerated() {
      for index in range {
        coefficients[index] = weights[answer]
        loss += weights[answer] * values[index]
      }
    }
    #expect(abs(loss - (try tiny.expected.floats("loss"))[0]) < 1e-3)
    try graph.backward(
      from: logp,
      gradient: Tensor(coefficients, shape: [coefficients.count], pool: tiny.backend.pool))
    for parameter in tiny.model.parameters {
      let expected = try tiny.expected.floats("grad." + parameter.name)
      let found = try #require(parameter.gradient).array()
      let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      #expect(error <= 1e-4 * norm, "\(parameter.name): error \(error) of \(norm)")
    }
  }

  @Test("greedy decoding with a cache", arguments: ["llama", "llama3"], testBackends)
  func greedy(name: String, backend: TestBackend) throws {
    let tiny = try load(name, backend.make())
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
      let logits = try graph.linear(last, tiny.model.head).value.array()
      fed = ids.count
      ids.append(Int32(logits.indices.max { logits[$0] < logits[$1] } ?? 0))
    }
    #expect(ids == expected)
  }

  @Test("answers sharing a prompt's rows score as they do alone", arguments: testBackends)
  func sharedPrompt(backend: TestBackend) throws {
    let tiny = try load("llama", backend.make())
    let prompt: [Int32] = [5, 9, 77, 31, 8]
    let answers: [[Int32]] = [[4, 8, 15, 16], [23], [42, 7, 7, 99, 100, 3]]
    func logps(_ batch: ScoringBatch) throws -> [Float] {
      let graph = Graph(tiny.backend)
      let hidden = try tiny.model.hidden(batch.packed, graph, cached: nil)
      let rows = try graph.gather(hidden, rows: batch.heads)
      return try graph.linearLogp(rows, tiny.model.head, targets: batch.targets).value.array()
    }
    var together = ScoringBatch()
    together.append(prompt: prompt, answers: answers)
    let shared = try logps(together)
    for (index, answer) in answers.enumerated() {
      var alone = ScoringBatch()
      alone.append(prompt: prompt, answers: [answer])
      #expect(distance(Array(shared[together.answers[index]]), try logps(alone)) < 1e-5)
    }
  }

  func distance(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
  }
}
