import SparCompute
import SparModel
import SparTensor

/// Loss and gradient of some comparisons whose states are at hand.
struct RankerObjective {
  let model: RankerModel
  let loss: RankerLoss

  /// Sums over comparisons.
  struct Outcome: Equatable, Sendable, Codable {
    var pairs = 0
    var loss = 0.0
    var languageModelLoss = 0.0
    var probability = 0.0
    /// Comparisons on the right side: s > 0 where p > ½; of those with p ≠ ½.
    var correct = 0
    var decided = 0

    mutating func add(_ other: Outcome) {
      pairs += other.pairs
      loss += other.loss
      languageModelLoss += other.languageModelLoss
      probability += other.probability
      correct += other.correct
      decided += other.decided
    }

    var accuracy: Double { decided == 0 ? 0 : Double(correct) / Double(decided) }
  }

  /// d loss / d outputs, with `weight` for every comparison.
  struct Gradient {
    var embeddings: [[Double]]
    var gates: [[Double]]
    var tau = 0.0
  }

  /// - Parameter rows: the place of each sequence in `outputs`.
  func evaluate(
    _ outputs: RankerModel.Outputs, _ pairs: [RankerData.Pair], rows: [Int: Int], weight: Double
  ) -> (Outcome, Gradient) {
    var outcome = Outcome()
    var gradient = Gradient(
      embeddings: outputs.raw.map { [Double](repeating: 0, count: $0.count) },
      gates: outputs.gate.map { [Double](repeating: 0, count: $0.count) })
    let width = model.backbone.config.hiddenSize
    let tau = model.temperature(loss)
    let blended = model.head.dimension > 2 || model.head.gate != .none
    for pair in pairs {
      guard let i = rows[pair.chosen], let j = rows[pair.rejected] else {
        preconditionFailure("both answers of a comparison are among the rows")
      }
      // The gate is read from the chosen answer's own sequence, as upstream does.
      let (score, slopes) = model.head.scoreAndGradient(
        outputs.raw[i], outputs.raw[j], gate: outputs.gate.isEmpty ? [] : outputs.gate[i],
        width: width)
      let value = loss.value(
        score, margin: pair.margin, probability: pair.probability, tau: tau, blended: blended)
      outcome.pairs += 1
      outcome.loss += value.loss
      outcome.probability += value.probability
      if pair.probability != 0.5 {
        outcome.decided += 1
        // A tie is wrong on either side.
        outcome.correct += (pair.probability > 0.5 ? score > 0 : score < 0) ? 1 : 0
      }
      let scale = weight * value.slope
      for d in slopes.first.indices {
        gradient.embeddings[i][d] += scale * slopes.first[d]
        gradient.embeddings[j][d] += scale * slopes.second[d]
      }
      for l in slopes.gate.indices { gradient.gates[i][l] += scale * slopes.gate[l] }
      gradient.tau += weight * value.tauSlope
    }
    return (outcome, gradient)
  }

  /// The gradient as the tape takes it; τ's goes to its parameter at once.
  func seeds(
    _ gradient: Gradient, _ outputs: RankerModel.Outputs
  ) -> [(Variable, Tensor)] {
    let pool = model.backbone.backend.pool
    func tensor(_ rows: [[Double]]) -> Tensor {
      Tensor(
        rows.flatMap { $0.map(Float.init) }, shape: [rows.count, rows.first?.count ?? 0],
        pool: pool)
    }
    var seeds = [(outputs.embeddings, tensor(gradient.embeddings))]
    if let gates = outputs.gates { seeds.append((gates, tensor(gradient.gates))) }
    if let tau = model.tau, let target = tau.gradient {
      let slope = RankerLoss.tau(of: Double(tau.value.floats[0])).slope
      target.floats[0] += Float(gradient.tau * slope)
    }
    return seeds
  }
}
