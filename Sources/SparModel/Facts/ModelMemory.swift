/// Bytes that a model needs, from its shape.
///
/// P parameters, L layers, C channels, F inner channels, Q and K channels of all query and key
/// heads, T = 1024 rows a pass:
///
///     inference  4·P in f32, or what the file stores
///     cache      2·L·K·4 a token
///     training   weights, gradients, optimizer state: 4·P each (AdamW has two states)
///     kept rows  4·T·L·(6·C + 3·Q + 3·K + 3·F), what a pass keeps for its way back
///
/// The last is an estimate: it leaves out the blocks that operations use on the way.
public struct ModelMemory: Encodable, Sendable, Equatable {
  /// All weights as f32.
  public var weights: Int
  /// As stored.
  public var stored: Int
  /// Keys and values of 1000 tokens in f32.
  public var cachePerThousandTokens: Int
  public var gradients: Int
  /// One moment: RMSprop, the default.
  public var optimizerRmsprop: Int
  /// Two moments.
  public var optimizerAdamw: Int
  /// Of one pass of `rowsPerPass` rows.
  public var activations: Int
  public var rowsPerPass: Int
  /// Weights, gradients, one moment and the rows of a pass.
  public var training: Int

  init(
    parameters: Int, storedBytes: Int, layers: Int, hidden: Int, inner: Int, queries: Int,
    keys: Int
  ) {
    weights = 4 * parameters
    stored = storedBytes
    cachePerThousandTokens = 1000 * 2 * layers * keys * 4
    gradients = weights
    optimizerRmsprop = weights
    optimizerAdamw = 2 * weights
    rowsPerPass = 1024
    activations = 4 * rowsPerPass * layers * (6 * hidden + 3 * queries + 3 * keys + 3 * inner)
    training = 3 * weights + activations
  }
}
