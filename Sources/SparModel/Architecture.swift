import SparCompute
import SparTensor

/// A decoder-only transformer, written forward once.
///
/// Required of every architecture.  Law: the hidden state of a row depends only on the rows its
/// span lets it see, so packing, caching and batching change nothing.
public protocol Architecture: AnyObject {
  var config: ModelConfig { get }
  /// In the order of the checkpoint, tied weights once.
  var parameters: [Parameter] { get }
  /// The output embedding [V, C].  Logits and log-probabilities come from `logits(of:)` and
  /// `logps(of:)`, which know what else the model does to them.
  var head: Parameter { get }

  /// Final normed hidden states [T, C] of the batch's rows.  `tap`, where there is one, sees every
  /// `ActivationSite` but the logits on the way.
  func hidden(
    _ batch: PackedBatch, _ graph: Graph, cached: CachedRows?, tap: (any ActivationTap)?
  ) throws -> Variable
}

extension Architecture {
  // Yours for free.

  /// The same without a tap.
  public func hidden(
    _ batch: PackedBatch, _ graph: Graph, cached: CachedRows?
  ) throws -> Variable {
    try hidden(batch, graph, cached: cached, tap: nil)
  }

  /// Logits [T, V] of final hidden states [T, C].
  public func logits(of hidden: Variable, _ graph: Graph) throws -> Variable {
    try graph.softcap(graph.linear(hidden, head), config.logitSoftcap)
  }

  /// Log-probabilities [T] of `targets` after final hidden states [T, C], in nats; the logits never
  /// exist as a whole.  `entropy` and `sumOfSquares` [T] are filled for each row's distribution.
  public func logps(
    of hidden: Variable, targets: [Int32], _ graph: Graph, entropy: Tensor? = nil,
    sumOfSquares: Tensor? = nil
  ) throws -> Variable {
    try graph.linearLogp(
      hidden, head, targets: targets, softcap: config.logitSoftcap, entropy: entropy,
      sumOfSquares: sumOfSquares)
  }
}

/// Makes a parameter from the tensor of that name, which must have that shape.
public typealias ParameterLoader = (_ name: String, _ shape: [Int]) throws -> Parameter
