import SparCompute
import SparTensor

/// DeBERTa-v2 and -v3: post-norm blocks of attention that adds, to query·key, products of queries
/// and of keys with projected relative positions; GELU feed-forward.
/// Source: He et al. 2020 and 2021, arXiv:2006.03654 and 2111.09543; names are Hugging Face's.
///
/// Written forward once on a graph, so that it can be trained.  Law: the hidden states of a sequence
/// depend on that sequence alone, so packing changes nothing.
public final class DebertaV2 {
  private struct Norm {
    let weight, bias: Parameter
  }

  private struct Dense {
    let weight, bias: Parameter
  }

  private struct Block {
    let q, k, v, o: Dense
    /// Projections of the positions; the keys' and queries' own where those are shared.
    let positionKey, positionQuery: Dense
    let attentionNorm: Norm
    let up, down: Dense
    let outputNorm: Norm
  }

  /// The projected positions of one layer, [R, C]; nil: without that term.
  public struct LayerPositions {
    let keys, queries: Variable?
  }

  public let config: DebertaV2Config
  /// In the order of the checkpoint.
  public let parameters: [Parameter]
  private let embeddings: Parameter
  private let embeddingNorm: Norm
  private let positions: Parameter
  private let positionNorm: Norm?
  private let blocks: [Block]
  private let buckets: [Int32]

  /// - Parameters:
  ///   - prefix: what stands before the names of the encoder's tensors: "deberta.", or nothing.
  public init(
    _ config: DebertaV2Config, prefix: String = "", load: ParameterLoader
  ) throws {
    self.config = config
    var all: [Parameter] = []
    func tensor(_ name: String, _ shape: [Int]) throws -> Parameter {
      let parameter = try load(prefix + name, shape)
      all.append(parameter)
      return parameter
    }
    func norm(_ name: String) throws -> Norm {
      Norm(
        weight: try tensor(name + ".weight", [config.hiddenSize]),
        bias: try tensor(name + ".bias", [config.hiddenSize]))
    }
    func dense(_ name: String, _ rows: Int, _ columns: Int) throws -> Dense {
      Dense(
        weight: try tensor(name + ".weight", [rows, columns]),
        bias: try tensor(name + ".bias", [rows]))
    }
    let (C, F) = (config.hiddenSize, config.intermediateSize)
    embeddings = try tensor("embeddings.word_embeddings.weight", [config.vocabularySize, C])
    embeddingNorm = try norm("embeddings.LayerNorm")
    blocks = try (0..<config.layers).map { index in
      let layer = "encoder.layer.\(index)."
      let attention = layer + "attention.self."
      let q = try dense(attention + "query_proj", C, C)
      let k = try dense(attention + "key_proj", C, C)
      let v = try dense(attention + "value_proj", C, C)
      let ownKey = config.queriesSeePositions && !config.sharesProjections
      let ownQuery = config.keysSeePositions && !config.sharesProjections
      return Block(
        q: q, k: k, v: v, o: try dense(layer + "attention.output.dense", C, C),
        positionKey: ownKey ? try dense(attention + "pos_key_proj", C, C) : k,
        positionQuery: ownQuery ? try dense(attention + "pos_query_proj", C, C) : q,
        attentionNorm: try norm(layer + "attention.output.LayerNorm"),
        up: try dense(layer + "intermediate.dense", F, C),
        down: try dense(layer + "output.dense", C, F),
        outputNorm: try norm(layer + "output.LayerNorm"))
    }
    positions = try tensor("encoder.rel_embeddings.weight", [2 * config.positionRows, C])
    positionNorm = config.normsPositions ? try norm("encoder.LayerNorm") : nil
    parameters = all
    buckets = config.positionBuckets
  }

  /// The projected positions of every layer: they depend on weights only, so that inference computes
  /// them once.
  public func layerPositions(_ graph: Graph) throws -> [LayerPositions] {
    let rows = (0..<Int32(2 * config.positionRows)).map { $0 }
    var table = try graph.embed(rows, table: positions)
    if let positionNorm { table = try norm(table, positionNorm, graph) }
    return try blocks.map { block in
      LayerPositions(
        keys: config.queriesSeePositions ? try linear(table, block.positionKey, graph) : nil,
        queries: config.keysSeePositions ? try linear(table, block.positionQuery, graph) : nil)
    }
  }

  /// Hidden states of packed sequences: `ids` one after another, each a range of `sequences`.
  ///
  /// - Parameters:
  ///   - rows: which states are wanted, counted over all of `ids`; nil: all of them.  What follows
  ///     the last attention is computed for these alone, with the same bits.
  ///   - layerPositions: those of these weights, where they are known; nil computes them.
  /// - Returns: [rows, C]
  public func hidden(
    _ ids: [Int32], sequences: [Range<Int>], rows: [Int32]? = nil, _ graph: Graph,
    layerPositions: [LayerPositions]? = nil
  ) throws -> Variable {
    let tables = try layerPositions ?? self.layerPositions(graph)
    let relative = RelativePositions(buckets: buckets, spans: sequences)
    var x = try norm(graph.embed(ids, table: embeddings), embeddingNorm, graph)
    for (index, (block, table)) in zip(blocks, tables).enumerated() {
      var attended = try graph.relativeAttention(
        q: linear(x, block.q, graph), k: linear(x, block.k, graph), v: linear(x, block.v, graph),
        keyTable: table.keys, queryTable: table.queries, heads: config.heads, relative,
        scale: config.scale)
      if let rows, index == blocks.count - 1 {
        attended = try graph.gather(attended, rows: rows)
        x = try graph.gather(x, rows: rows)
      }
      x = try norm(graph.add(linear(attended, block.o, graph), x), block.attentionNorm, graph)
      let wide = try graph.activated(.gelu, linear(x, block.up, graph))
      x = try norm(graph.add(linear(wide, block.down, graph), x), block.outputNorm, graph)
    }
    return x
  }

  private func norm(_ x: Variable, _ norm: Norm, _ graph: Graph) throws -> Variable {
    try graph.layerNorm(x, norm.weight, bias: norm.bias, epsilon: config.layerNormEpsilon)
  }

  private func linear(_ x: Variable, _ dense: Dense, _ graph: Graph) throws -> Variable {
    try graph.linear(x, dense.weight, bias: dense.bias)
  }
}
