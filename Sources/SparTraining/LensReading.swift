/// What one objective makes of one prompt.
public struct LensReading: Equatable, Sendable, Encodable {
  public var objective: String
  /// The prompt's mean over its pairs (or answers), as training logs it.
  public var loss: Double
  /// [m] The log-ratio log π/π_ref, in nats, at which an answer is left alone; nil for an answer
  /// that is not trained, and for objectives that never are content.
  public var targets: [Double?]
  /// [m] d loss / d log π(y|x); for an objective that looks at tokens, when all tokens of the
  /// answer move alike.
  public var derivatives: [Double]
}

/// One prompt under all objectives, after one forward pass.
public struct LensPrompt: Equatable, Sendable, Encodable {
  /// [m] log π(y|x) of the policy, nats.
  public var logps: [Double]
  /// [m] log π/π_ref, nats.
  public var logRatios: [Double]
  public var readings: [LensReading]
  /// Between the objectives' derivatives by log π(y|x) of this prompt; nil where one is 0.
  public var cosines: [[Double?]]
}

/// All prompts together.
public struct LensSummary: Equatable, Sendable, Encodable {
  public var objectives: [String]
  public var prompts: Int
  /// Mean loss over the prompts.
  public var losses: [Double]
  /// Between the derivatives by log π(y|x) of all answers of all prompts.
  public var logProbCosines: [[Double?]]
  /// Between the gradients by all parameters, of the mean loss over the prompts; nil when not asked.
  public var parameterCosines: [[Double?]]?
  /// Norms of these gradients.
  public var parameterNorms: [Double]?
}

/// Inner products of n vectors that come piece by piece.
struct InnerProducts {
  private(set) var table: [[Double]]

  init(_ count: Int) {
    table = Array(repeating: Array(repeating: 0, count: count), count: count)
  }

  mutating func add(_ vectors: [[Double]]) {
    for i in vectors.indices {
      for j in vectors.indices {
        table[i][j] += zip(vectors[i], vectors[j]).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
  }

  mutating func add(_ i: Int, _ j: Int, _ product: Double) {
    table[i][j] += product
    if i != j { table[j][i] += product }
  }

  var norms: [Double] { table.indices.map { table[$0][$0].squareRoot() } }

  /// nil where a vector is 0.
  var cosines: [[Double?]] {
    let norms = norms
    return table.indices.map { i in
      table.indices.map { j in
        let scale = norms[i] * norms[j]
        // Rounding must not show a cosine of 1.0000000002.
        return scale > 0 ? max(-1, min(1, table[i][j] / scale)) : nil
      }
    }
  }
}
