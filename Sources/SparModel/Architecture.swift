import SparCompute

/// A decoder-only transformer, written forward once.
///
/// Required of every architecture.  Law: the hidden state of a row depends only on the rows its
/// span lets it see, so packing, caching and batching change nothing.
public protocol Architecture: AnyObject {
  var config: ModelConfig { get }
  /// In the order of the checkpoint, tied weights once.
  var parameters: [Parameter] { get }
  /// The output embedding [V, C].
  var head: Parameter { get }

  /// Final normed hidden states [T, C] of the batch's rows.  `tap`, where there is one, sees every
  /// `ActivationSite` but the logits on the way.
  func hidden(
    _ batch: PackedBatch, _ graph: Graph, cached: CachedRows?, tap: (any ActivationTap)?
  ) throws -> Variable
}

extension Architecture {
  /// The same without a tap.
  public func hidden(
    _ batch: PackedBatch, _ graph: Graph, cached: CachedRows?
  ) throws -> Variable {
    try hidden(batch, graph, cached: cached, tap: nil)
  }
}

/// Makes a parameter from the tensor of that name, which must have that shape.
public typealias ParameterLoader = (_ name: String, _ shape: [Int]) throws -> Parameter

/// The architectures that this build knows, by `model_type`.
public enum Architectures {
  public static let known = ["llama"]

  public static func make(
    _ config: ModelConfig, backend: Backend, path: String, load: ParameterLoader
  ) throws -> any Architecture {
    switch config.modelType {
    case "llama": return try Llama(config, backend: backend, load: load)
    default:
      throw ModelError(
        .unknownArchitecture(found: config.modelType, known: known), path: path)
    }
  }
}
