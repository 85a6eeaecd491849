import SparTensor

/// Made-up comparisons that no reward can hold: circles of n answers, each of which beats the next.
///
/// Whatever numbers the answers of a circle are given, one comparison of the circle is wrong, so a
/// Bradley-Terry model is right in at most (n − 1)/n of them.  Vectors at the angles 2πk/n with the
/// product v₀w₁ − v₁w₀ are right in all.
public struct CyclicPreferences: Equatable, Sendable {
  /// n; at least 3 and at most `words.count`.
  public var length: Int
  /// Circles, each under a prompt of its own.
  public var circles: Int
  public var seed: UInt64

  public init(length: Int, circles: Int, seed: UInt64) {
    precondition(Self.lengths.contains(length) && circles > 0, "\(circles) circles of \(length)")
    self.length = length
    self.circles = circles
    self.seed = seed
  }

  /// Lengths that circles can have.
  public static var lengths: ClosedRange<Int> { 3...words.count }

  /// (n − 1)/n
  public var bradleyTerryBound: Double { Double(length - 1) / Double(length) }

  public struct Comparison: Equatable, Sendable {
    public var prompt: String
    public var chosen: String
    public var rejected: String
  }

  /// The comparisons, those of a circle together: `circles` × `length`.
  public var comparisons: [Comparison] {
    (0..<circles).flatMap { circle -> [Comparison] in
      var random = Random(seed: seed, stage: .initialise, iteration: length, item: circle)
      let drawn = random.permutation(Self.words.count).prefix(length).map { Self.words[$0] }
      // Named in the order of the alphabet, which says nothing about who beats whom.
      let prompt =
        "Round \(circle + 1). Which do you like best: \(drawn.sorted().joined(separator: ", "))?"
      return (0..<length).map {
        Comparison(prompt: prompt, chosen: drawn[$0], rejected: drawn[($0 + 1) % length])
      }
    }
  }

  private static let words = [
    "amber", "bridge", "candle", "desert", "ember", "forest", "garden", "harbor", "island",
    "jungle", "kettle", "lantern", "meadow", "needle", "orchard", "pebble", "quarry", "river",
    "saddle", "tunnel", "valley", "window",
  ]
}
