import SparCompute
import SparTensor

/// A stack of blocks of attention and feed-forward between embedding and head, as its config
/// describes it.
final class CausalDecoder: Architecture {
  private struct Block {
    let attention: GroupedAttention
    let feedForward: GatedFeedForward
    /// Before attention and feed-forward.
    let before: (attention: RMSNorm, feedForward: RMSNorm)
    /// After them, before they are added to the stream.
    let after: (attention: RMSNorm, feedForward: RMSNorm)?

    init(_ part: PartLoader, layer: Int) throws {
      let c = part.config.hiddenSize
      let input = try part.norm("input_layernorm", c)
      let post = try part.norm("post_attention_layernorm", c)
      if part.config.norms.followsParts {
        before = (input, try part.norm("pre_feedforward_layernorm", c))
        after = (post, try part.norm("post_feedforward_layernorm", c))
      } else {
        before = (input, post)
        after = nil
      }
      attention = try GroupedAttention(part.within("self_attn"), layer: layer)
      feedForward = try GatedFeedForward(part.within("mlp"))
    }

    var parameters: [Parameter] {
      let norms = [before.attention, after?.attention, before.feedForward, after?.feedForward]
      return attention.parameters + feedForward.parameters + norms.compactMap { $0?.weight }
    }
  }

  let config: ModelConfig
  let head: Parameter
  private let embedding: Parameter
  private let blocks: [Block]
  private let finalNorm: RMSNorm
  private let rotary: RotaryTables

  init(
    _ config: ModelConfig, backend: Backend, path: String, load: ParameterLoader
  ) throws {
    self.config = config
    rotary = RotaryTables(config, backend: backend, path: path)
    let table = [config.vocabularySize, config.hiddenSize]
    (embedding, blocks, finalNorm, head) = try withoutActuallyEscaping(load) { load in
      let part = PartLoader(config: config, place: "model.", load: load)
      let embedding = try part.parameter("embed_tokens.weight", table)
      return (
        embedding,
        try (0..<config.layers).map { try Block(part.within("layers.\($0)"), layer: $0) },
        try part.norm("norm", config.hiddenSize),
        config.tieEmbeddings ? embedding : try load("lm_head.weight", table)
      )
    }
  }

  var parameters: [Parameter] {
    [embedding] + blocks.flatMap(\.parameters) + [finalNorm.weight]
      + (config.tieEmbeddings ? [] : [head])
  }

  func hidden(
    _ batch: PackedBatch, _ graph: Graph, cached: CachedRows?, tap: (any ActivationTap)?
  ) throws -> Variable {
    let spans = AttentionSpans(batch.spans)
    let rotation = try rotary.rotation(batch.positions)
    var x = try graph.scale(graph.embed(batch.ids, table: embedding), by: config.embeddingScale)
    try tap?.see(.residual, layer: 0, x.value)
    for (layer, block) in blocks.enumerated() {
      var attended = try block.attention(
        block.before.attention(x, graph), graph, rotation, spans,
        cache: cached?.cache.layers[layer], slots: cached?.slots ?? [])
      if let after = block.after { attended = try after.attention(attended, graph) }
      try tap?.see(.attention, layer: layer + 1, attended.value)
      x = try graph.add(x, attended)
      var fed = try block.feedForward(block.before.feedForward(x, graph), graph)
      if let after = block.after { fed = try after.feedForward(fed, graph) }
      try tap?.see(.mlp, layer: layer + 1, fed.value)
      x = try graph.add(x, fed)
      try tap?.see(.residual, layer: layer + 1, x.value)
    }
    return try finalNorm(x, graph)
  }
}
