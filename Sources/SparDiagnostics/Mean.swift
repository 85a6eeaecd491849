/// A mean that is nil until something was added.
public struct Mean: Equatable, Sendable {
  private var sum = 0.0
  private var count = 0

  public init() {}

  public mutating func add(_ value: Double) {
    sum += value
    count += 1
  }

  public var value: Double? { count == 0 ? nil : sum / Double(count) }
}

/// Pearson correlation of scores with lengths, both as differences from their prompt's mean, so that
/// a prompt which asks for long answers does not count as a preference for length.
public struct LengthCorrelation: Equatable, Sendable {
  private var scoreSquares = 0.0
  private var lengthSquares = 0.0
  private var products = 0.0

  public init() {}

  /// The answers of one prompt.
  public mutating func add(scores: [Double], lengths: [Double]) {
    let n = Double(max(scores.count, 1))
    let meanScore = scores.reduce(0, +) / n
    let meanLength = lengths.reduce(0, +) / n
    for (score, length) in zip(scores, lengths) {
      scoreSquares += (score - meanScore) * (score - meanScore)
      lengthSquares += (length - meanLength) * (length - meanLength)
      products += (score - meanScore) * (length - meanLength)
    }
  }

  /// nil where scores or lengths never vary within a prompt.
  public var value: Double? {
    let spread = (scoreSquares * lengthSquares).squareRoot()
    return spread > 0 && spread.isFinite ? products / spread : nil
  }
}
