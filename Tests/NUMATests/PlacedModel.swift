import Foundation
import SparCompute
import SparHost
import SparModel
import SparTensor
import SparTraining
import Testing

/// The backend called `name`, from the plugins built beside the test program.
func backend(_ name: String, _ options: [String: String] = [:], threads: Int = 2) throws -> Backend
{
  var search = PluginSearch(environment: [:])
  search.installed = []
  return try PluginHost(search: search, threads: threads)
    .backend(name, options: options, threads: threads)
}

/// Bits, so that NaN equals itself and -0 differs from 0.
func bits(_ tensor: Tensor) -> [UInt32] { tensor.array().map(\.bitPattern) }

/// A Llama of random weights, large enough that its tensors are divided among nodes.
struct PlacedModel {
  let backend: Backend
  let model: any Architecture

  init(_ backend: Backend) throws {
    self.backend = backend
    let json = """
      {"model_type": "llama", "hidden_size": 128, "intermediate_size": 320, "vocab_size": 900,
       "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 16,
       "max_position_embeddings": 256, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
       "hidden_act": "silu", "tie_word_embeddings": true, "eos_token_id": 2}
      """
    let config = try ModelConfig(json: Data(json.utf8), path: "a test")
    var random = Random(seed: 7, stage: .initialise)
    model = try Architectures.make(config, backend: backend, path: "a test") { name, shape in
      let value = backend.tensor(shape, use: .weights)
      let isNorm = shape.count == 1
      for index in 0..<value.count {
        value.floats[index] = Float(random.uniform() - 0.5) * 0.2 + (isNorm ? 1 : 0)
      }
      return Parameter(name: name, value: value)
    }
  }

  static func ids(_ count: Int, from start: Int) -> [Int32] {
    (0..<count).map { Int32(3 + (start + $0 * 37) % 890) }
  }

  /// Log-probabilities of three groups, and the gradients of their weighted sum.
  func step(_ optimizer: Optimizer?) throws -> [UInt32] {
    var batch = ScoringBatch()
    for group in 0..<3 {
      batch.append(
        prompt: Self.ids(20 + group, from: group),
        answers: (0..<4).map { Self.ids(9 + $0, from: 100 * group + $0) })
    }
    let graph = Graph(backend, recording: true)
    let hidden = try model.hidden(batch.packed, graph, cached: nil)
    let rows = try graph.gather(hidden, rows: batch.heads)
    let logp = try graph.linearLogp(rows, model.head, targets: batch.targets)
    var result = bits(logp.value)
    guard let optimizer else { return result }
    let weights = batch.targets.indices.map { Float($0 % 5) - 1.5 }
    try graph.backward(
      from: logp, gradient: Tensor(weights, shape: [weights.count], pool: backend.pool))
    for parameter in model.parameters { result += bits(try #require(parameter.gradient)) }
    try optimizer.update(learningRate: 1e-3, gradientScale: 0.5, step: 1)
    for parameter in model.parameters { result += bits(parameter.value) }
    return result
  }

  /// Greedy answers of `sequences` prompts decoded together, with a cache.
  func greedy(sequences: Int, tokens: Int) throws -> [[Int32]] {
    let prompt = 7
    let length = prompt + tokens
    let cache = KVCache(model.config, slots: sequences * length, backend: backend)
    var texts = (0..<sequences).map { Self.ids(prompt, from: 11 * $0) }
    var fed = 0
    while texts[0].count < length {
      let known = texts[0].count
      var batch = PackedBatch()
      var slots: [Int32] = []
      for (index, text) in texts.enumerated() {
        let first = batch.ids.count
        batch.ids += text[fed...]
        batch.positions += (fed..<known).map(Int32.init)
        let run = index * length
        batch.spans.append(
          AttentionSpan(queries: first..<batch.ids.count, keys: run..<(run + known)))
        slots += ((run + fed)..<(run + known)).map(Int32.init)
      }
      let graph = Graph(backend)
      let hidden = try model.hidden(batch, graph, cached: CachedRows(cache, slots: slots))
      let last = batch.spans.map { Int32($0.queries.upperBound - 1) }
      let logits = try graph.linear(graph.gather(hidden, rows: last), model.head).value.array()
      let width = model.config.vocabularySize
      for index in texts.indices {
        let row = logits[(index * width)..<((index + 1) * width)]
        let best = row.indices.max { row[$0] < row[$1] } ?? row.startIndex
        texts[index].append(Int32(best - row.startIndex))
      }
      fed = known
    }
    return texts
  }
}
