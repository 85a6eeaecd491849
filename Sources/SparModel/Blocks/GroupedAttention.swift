import SparCompute

/// Rotary attention whose query heads share key heads in groups.
struct GroupedAttention {
  private let q, k, v, o: Projection
  private let queryNorm, keyNorm: RMSNorm?
  private let heads, keyHeads: Int
  private let scale: AttentionScale
  let parameters: [Parameter]

  init(_ part: PartLoader, layer: Int) throws {
    let config = part.config
    let c = config.hiddenSize
    (heads, keyHeads) = (config.heads, config.keyHeads)
    let (queries, keys) = (heads * config.headSize, keyHeads * config.headSize)
    if config.attention.isFused {
      let weight = try part.parameter("qkv_proj.weight", [queries + 2 * keys, c])
      q = Projection(weight: weight, rows: 0..<queries)
      k = Projection(weight: weight, rows: queries..<(queries + keys))
      v = Projection(weight: weight, rows: (queries + keys)..<(queries + 2 * keys))
    } else {
      let isBiased = config.attention.bias != .none
      q = try part.projection("q_proj", queries, c, bias: isBiased)
      k = try part.projection("k_proj", keys, c, bias: isBiased)
      v = try part.projection("v_proj", keys, c, bias: isBiased)
    }
    o = try part.projection("o_proj", c, queries, bias: config.attention.bias == .all)
    let normsHeads = config.attention.normsHeads
    queryNorm = normsHeads ? try part.norm("q_norm", config.headSize) : nil
    keyNorm = normsHeads ? try part.norm("k_norm", config.headSize) : nil
    scale = AttentionScale(
      scale: config.attention.scale, window: config.attention.windows[layer],
      softcap: config.attention.softcap)
    let opening = config.attention.isFused ? [q] : [q, k, v]
    parameters =
      (opening + [o]).flatMap { [$0.weight, $0.bias] }.compactMap { $0 }
      + [queryNorm, keyNorm].compactMap { $0?.weight }
  }

  /// What rows x [T, C] get from the rows they see: [T, C].
  func callAsFunction(
    _ x: Variable, _ graph: Graph, _ rotary: BatchRotary, _ spans: AttentionSpans,
    cache: LayerCache?, slots: [Int32]
  ) throws -> Variable {
    func rotated(_ project: Projection, _ norm: RMSNorm?, heads: Int) throws -> Variable {
      let plain = try project(x, graph)
      return try rotary(norm.map { try $0(plain, graph) } ?? plain, heads: heads, graph)
    }
    let queries = try rotated(q, queryNorm, heads: heads)
    let keys = try rotated(k, keyNorm, heads: keyHeads)
    let values = try v(x, graph)
    let mixed = try graph.attention(
      q: queries, k: keys, v: values, heads: heads, keyHeads: keyHeads, spans, scale, cache: cache,
      slots: slots)
    return try o(mixed, graph)
  }
}
