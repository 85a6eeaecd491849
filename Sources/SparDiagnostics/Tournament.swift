/// The answers of one prompt as players who all met: P(i beats j), K×K row-major.
///
/// Law: every figure depends on P alone, and permuting the answers permutes it.
public struct Tournament: Equatable, Sendable {
  public let k: Int
  public let probability: [Double]

  /// - Parameter probability: K×K row-major, in [0, 1], the diagonal ½.
  public init(k: Int, probability: [Double]) {
    precondition(probability.count == k * k, "\(probability.count) probabilities for \(k) answers")
    self.k = k
    self.probability = probability
  }

  public func beats(_ i: Int, _ j: Int) -> Bool { probability[i * k + j] > 0.5 }

  /// Copeland scores [K]: answers beaten, ties counting ½.
  public var copeland: [Double] {
    (0..<k).map { i in
      (0..<k).reduce(0.0) { sum, j in
        i == j ? sum : sum + (beats(i, j) ? 1 : beats(j, i) ? 0 : 0.5)
      }
    }
  }

  /// Borda scores [K]: mean over all K columns of P, the diagonal's ½ included.
  public var borda: [Double] {
    (0..<k).map { i in probability[(i * k)..<(i * k + k)].reduce(0, +) / Double(k) }
  }

  /// The answer that beats every other one, if there is one.
  public var condorcetWinner: Int? {
    (0..<k).first { i in (0..<k).allSatisfy { $0 == i || beats(i, $0) } }
  }

  /// Circles a ≻ b ≻ c ≻ a, each once, starting with its smallest index.
  public var cycles: [Cycle] {
    var found: [Cycle] = []
    for a in 0..<k {
      for b in (a + 1)..<max(k, a + 1) {
        for c in (b + 1)..<max(k, b + 1) {
          if beats(a, b), beats(b, c), beats(c, a) { found.append(cycle(a, b, c)) }
          if beats(a, c), beats(c, b), beats(b, a) { found.append(cycle(a, c, b)) }
        }
      }
    }
    return found
  }

  /// Triples of answers: C(K, 3).
  public var triples: Int { k * (k - 1) * (k - 2) / 6 }

  private func cycle(_ a: Int, _ b: Int, _ c: Int) -> Cycle {
    let weakest = min(
      probability[a * k + b], probability[b * k + c], probability[c * k + a])
    return Cycle(answers: [a, b, c], strength: weakest - 0.5)
  }
}

/// Three answers that beat one another in a circle.
public struct Cycle: Equatable, Sendable, Codable {
  /// Each beats the next, the last beats the first.
  public var answers: [Int]
  /// How far the weakest of the three probabilities lies above ½.
  public var strength: Double
}

extension [Double] {
  /// The first index of the largest value; nil where there is none.
  var firstMaximum: Int? {
    indices.reduce(nil as Int?) { best, i in
      guard let best else { return i }
      return self[i] > self[best] ? i : best
    }
  }
}
