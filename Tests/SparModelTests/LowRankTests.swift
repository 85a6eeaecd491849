import Foundation
import SparCompute
import SparModel
import SparTensor
import Testing

@Suite("Low-rank adapters") struct LowRankTests {
  let backend = Backend.reference()

  func model() throws -> any Architecture {
    let config = try ModelConfig(
      json: Data(
        """
        {"model_type": "llama", "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
         "num_attention_heads": 2, "vocab_size": 20, "tie_word_embeddings": false}
        """.utf8), path: "tiny")
    var made = 0
    return try Architectures.make(config, backend: backend, path: "tiny") { name, shape in
      made += 1
      var random = Random(seed: 3, stage: .initialise, item: made)
      let count = shape.reduce(1, *)
      return Parameter(
        name: name,
        value: Tensor(
          (0..<count).map { _ in Float(random.uniform() - 0.5) }, shape: shape,
          pool: backend.pool))
    }
  }

  func logits(_ model: any Architecture) throws -> [Float] {
    var batch = PackedBatch()
    batch.append([1, 5, 3, 19, 0])
    let graph = Graph(backend)
    return try graph.linear(
      model.hidden(batch, graph, cached: nil), model.head
    ).value.array()
  }

  @Test("fresh adapters change no bit; merged ones compute what they computed")
  func merge() throws {
    let model = try model()
    let before = try logits(model)
    let attached = try model.attachAdapters(
      LowRankOptions(rank: 3, alpha: 6), seed: 1, backend: backend)
    #expect(attached.count == 2 * 2 * 7)
    #expect(try logits(model) == before)
    for parameter in attached where parameter.name.hasSuffix("lora_B.weight") {
      for i in 0..<parameter.value.count { parameter.value.floats[i] = Float(i % 5) * 0.02 }
    }
    let adapted = try logits(model)
    #expect(adapted != before)
    try model.mergeAdapters(backend)
    #expect(model.parameters.allSatisfy { $0.adapter == nil })
    for (merged, apart) in zip(try logits(model), adapted) { #expect(abs(merged - apart) < 1e-5) }
  }

  @Test("targets choose layers, and an unknown one is named with the known")
  func targets() throws {
    let attached = try model().attachAdapters(
      LowRankOptions(rank: 1, alpha: 1, targets: ["q_proj", "v_proj"]), seed: 1, backend: backend)
    #expect(
      attached.prefix(2).map(\.name) == [
        "model.layers.0.self_attn.q_proj.lora_A.weight",
        "model.layers.0.self_attn.q_proj.lora_B.weight",
      ])
    #expect(attached.count == 8)
    let model = try model()
    #expect(
      throws: LowRankError(
        target: "query",
        known: ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"])
    ) {
      try model.attachAdapters(
        LowRankOptions(targets: ["query"]), seed: 1, backend: backend)
    }
  }
}
