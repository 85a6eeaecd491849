import SparCompute
import SparTensor

extension LanguageModel {
  /// Logits [rows.count, V] after a forward pass over `batch`, at the named rows of it; `tap` sees the
  /// sites below the logits, at all rows.
  public func logits(
    _ batch: PackedBatch, rows: [Int32]? = nil, cached: CachedRows? = nil,
    tap: (any ActivationTap)? = nil
  ) throws -> Tensor {
    let graph = Graph(backend)
    var hidden = try architecture.hidden(batch, graph, cached: cached, tap: tap)
    if let rows { hidden = try graph.gather(hidden, rows: rows) }
    return try logits(hidden, graph)
  }

  /// Logits [T, V] of final hidden states [T, C].
  public func logits(_ hidden: Variable, _ graph: Graph) throws -> Tensor {
    try architecture.logits(of: hidden, graph).value
  }
}
