import SparCompute

/// How a model's attention differs from Llama's.
public struct AttentionOptions: Equatable, Sendable {
  /// Which projections add a bias.
  public enum Bias: Equatable, Sendable {
    case none
    case queryKeyValue
    case all
  }
  public var bias = Bias.none
  /// Queries and keys are normed head by head, before they are rotated.
  public var normsHeads = false
  /// One tensor holds the rows of the query, key and value projections.
  public var isFused = false
  /// What scores are multiplied by.
  public var scale = 0.0
  /// c of c tanh(z / c) on the scores; 0 = off.
  public var softcap = 0.0
  /// For each layer, how many keys a query sees, itself included; 0 = all.
  public var windows: [Int] = []
}

/// How a model's feed-forward part differs from Llama's.
public struct FeedForwardOptions: Equatable, Sendable {
  public var activation = Activation.silu
  public var hasBias = false
  /// One tensor holds the rows of the gate's and the up projection.
  public var isFused = false
}

/// How a model's norms differ from Llama's.
public struct NormOptions: Equatable, Sendable {
  /// Added to the stored weight.
  public var offset = 0.0
  /// Attention and feed-forward part are normed once more before they are added to the stream.
  public var followsParts = false
}

extension ConfigFields {
  /// The window of each layer: where `layer_types` says sliding_attention, else where `slides`.
  func windows(
    _ window: Int?, layers: Int, where slides: (_ layer: Int) -> Bool
  ) throws -> [Int] {
    guard let types = try strings("layer_types") else {
      return (0..<layers).map { slides($0) ? window ?? 0 : 0 }
    }
    guard types.count == layers else {
      throw wrong("layer_types", "\(types.count) types for \(layers) layers")
    }
    return try types.map { type in
      switch type {
      case "full_attention": return 0
      case "sliding_attention":
        guard let window else {
          throw wrong("sliding_window", "an integer is needed for sliding_attention")
        }
        return window
      default:
        throw wrong(
          "layer_types", "\"\(type)\" is not known; known: full_attention, sliding_attention")
      }
    }
  }
}
