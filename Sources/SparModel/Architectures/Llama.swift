import SparCompute
import SparTensor

/// Llama: pre-norm blocks of rotary grouped-query attention and a SwiGLU feed-forward.
/// Source: Touvron et al. 2023, arXiv:2302.13971 and 2307.09288; names are Hugging Face's.
final class Llama: Architecture {
  private struct Block {
    let inputNorm, postNorm: Parameter
    let q, k, v, o: Parameter
    let gate, up, down: Parameter

    var parameters: [Parameter] { [q, k, v, o, gate, up, down, inputNorm, postNorm] }
  }

  let config: ModelConfig
  let head: Parameter
  private let embedding: Parameter
  private let finalNorm: Parameter
  private let blocks: [Block]
  private let rotary: RotaryTable
  private let scale: AttentionScale

  init(_ config: ModelConfig, backend: Backend, load: ParameterLoader) throws {
    self.config = config
    let (c, f) = (config.hiddenSize, config.intermediateSize)
    let (queries, keys) = (config.heads * config.headSize, config.keyHeads * config.headSize)
    embedding = try load("model.embed_tokens.weight", [config.vocabularySize, c])
    blocks = try (0..<config.layers).map { layer in
      let at = "model.layers.\(layer)."
      return Block(
        inputNorm: try load(at + "input_layernorm.weight", [c]),
        postNorm: try load(at + "post_attention_layernorm.weight", [c]),
        q: try load(at + "self_attn.q_proj.weight", [queries, c]),
        k: try load(at + "self_attn.k_proj.weight", [keys, c]),
        v: try load(at + "self_attn.v_proj.weight", [keys, c]),
        o: try load(at + "self_attn.o_proj.weight", [c, queries]),
        gate: try load(at + "mlp.gate_proj.weight", [f, c]),
        up: try load(at + "mlp.up_proj.weight", [f, c]),
        down: try load(at + "mlp.down_proj.weight", [c, f]))
    }
    finalNorm = try load("model.norm.weight", [c])
    head =
      config.tieEmbeddings ? embedding : try load("lm_head.weight", [config.vocabularySize, c])
    rotary = RotaryTable(config, positions: config.maxPositions, backend: backend)
    scale = AttentionScale(scale: 1 / Double(config.headSize).squareRoot())
  }

  var parameters: [Parameter] {
    [embedding] + blocks.flatMap(\.parameters) + [finalNorm]
      + (config.tieEmbeddings ? [] : [head])
  }

  func hidden(
    _ batch: PackedBatch, _ graph: Graph, cached: CachedRows?, tap: (any ActivationTap)?
  ) throws -> Variable {
    let spans = AttentionSpans(batch.spans)
    var x = try graph.embed(batch.ids, table: embedding)
    try tap?.see(.residual, layer: 0, x.value)
    for (layer, block) in blocks.enumerated() {
      let normed = try graph.rmsNorm(x, block.inputNorm, epsilon: config.rmsEpsilon)
      let q = try graph.rotary(
        graph.linear(normed, block.q), heads: config.heads, rotary, positions: batch.positions)
      let k = try graph.rotary(
        graph.linear(normed, block.k), heads: config.keyHeads, rotary, positions: batch.positions)
      let v = try graph.linear(normed, block.v)
      let mixed = try graph.attention(
        q: q, k: k, v: v, heads: config.heads, keyHeads: config.keyHeads, spans, scale,
        cache: cached?.cache.layers[layer], slots: cached?.slots ?? [])
      let attended = try graph.linear(mixed, block.o)
      try tap?.see(.attention, layer: layer + 1, attended.value)
      x = try graph.add(x, attended)
      let wide = try graph.rmsNorm(x, block.postNorm, epsilon: config.rmsEpsilon)
      let opened = try graph.gated(
        .silu, gate: graph.linear(wide, block.gate), up: graph.linear(wide, block.up))
      let fed = try graph.linear(opened, block.down)
      try tap?.see(.mlp, layer: layer + 1, fed.value)
      x = try graph.add(x, fed)
      try tap?.see(.residual, layer: layer + 1, x.value)
    }
    return try graph.rmsNorm(x, finalNorm, epsilon: config.rmsEpsilon)
  }
}
