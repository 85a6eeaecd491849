import SparCompute
import SparHost
import SparModel
import SparTensor

/// Loss and gradient of one optimizer step, pass by pass.
///
/// The loss of a step is sum(loss) / pairs with the sizes of the whole step, so the number of passes
/// changes nothing but the order of additions.
public struct StepGradient {
  let model: TrainableModel
  let objective: any TrainingObjective
  let tokensPerPass: Int
  /// Called before every pass; throws to stop.
  let checkpoint: () throws -> Void

  public init(
    model: TrainableModel, objective: any TrainingObjective, tokensPerPass: Int,
    checkpoint: @escaping () throws -> Void = {}
  ) {
    self.model = model
    self.objective = objective
    self.tokensPerPass = tokensPerPass
    self.checkpoint = checkpoint
  }

  /// What a step found, before the update.
  public struct Outcome {
    /// Sum over the answers, not yet divided.
    public var loss = 0.0
    /// What the mean divides by: groups, or pairs where groups are trained on several.
    public var pairs: Int
    /// log pi(y|x) of every answer of every group, in order.
    public var logps: [[Double]] = []
    public var metricSum: [Double]
    public var metricWeight: [Double]
    /// Sum over the answers' tokens of the entropy of their distributions, in nats.
    public var entropy = 0.0
    /// Tokens that went through the model.
    public var packedTokens = 0

    fileprivate mutating func add(_ pass: ScoredPass) {
      entropy += pass.tokenEntropies.reduce(0.0) { $0 + Double($1) }
    }
  }

  /// Adds d loss / d parameter to the gradient of every parameter that has one.
  public func accumulate(
    _ groups: [TrainingGroup], progress: Double = 0
  ) throws -> Outcome {
    let passes = PassPlan.passes(groups, limit: tokensPerPass)
    let sizes = StepSizes(groups)
    var outcome = Outcome(
      pairs: sizes.pairs, metricSum: Array(repeating: 0, count: objective.metricNames.count),
      metricWeight: Array(repeating: 0, count: objective.metricNames.count))
    outcome.packedTokens = groups.reduce(0) { $0 + $1.promptIDs.count + $1.answerTokens }
    let wantsSquares = objective.needs.contains(.sumP2)
    // One evaluation sees all passes when rows of different groups hang together.
    guard objective.needs.contains(.coupled), passes.count > 1 else {
      for pass in passes {
        try checkpoint()
        let scored = try model.score(groups[pass], recording: true, sumP2: wantsSquares)
        outcome.add(scored)
        let query = ObjectiveQuery(
          groups[pass], logps: scored.tokenLogps, sumP2: scored.tokenSumP2,
          needs: objective.needs, sizes: sizes, progress: progress)
        let coefficients = try evaluate(query, groups[pass], sizes, &outcome)
        try backward(scored, coefficients[...])
      }
      return outcome
    }
    var logps: [Float] = []
    var squares: [Float] = []
    for pass in passes {
      try checkpoint()
      let scored = try model.score(groups[pass], recording: false, sumP2: wantsSquares)
      outcome.add(scored)
      logps += scored.tokenLogps
      squares += scored.tokenSumP2
    }
    let query = ObjectiveQuery(
      groups[...], logps: logps, sumP2: squares, needs: objective.needs, sizes: sizes,
      progress: progress)
    let coefficients = try evaluate(query, groups[...], sizes, &outcome)
    // Forward again with a tape: memory stays that of one pass.
    var first = 0
    for pass in passes {
      try checkpoint()
      let scored = try model.score(groups[pass], recording: true)
      try backward(scored, coefficients[first..<(first + scored.tokenLogps.count)])
      first += scored.tokenLogps.count
    }
    return outcome
  }

  /// Asks the objective; returns d mean loss / d logp of every token.
  private func evaluate(
    _ query: ObjectiveQuery, _ groups: ArraySlice<TrainingGroup>, _ sizes: StepSizes,
    _ outcome: inout Outcome
  ) throws -> [Float] {
    let result = query.folded(try objective.differentiate(query.batch))
    outcome.loss += result.loss.reduce(0, +)
    for index in result.metricSum.indices where index < outcome.metricSum.count {
      outcome.metricSum[index] += result.metricSum[index]
      outcome.metricWeight[index] += result.metricWeight[index]
    }
    var answer = 0
    var coefficients: [Float] = []
    coefficients.reserveCapacity(groups.reduce(0) { $0 + $1.answerTokens })
    for group in groups {
      outcome.logps.append(Array(query.answerLogps[answer..<(answer + group.answers.count)]))
      for row in group.answers {
        for _ in row.ids {
          let own = result.dtokLogp.map { Double($0[coefficients.count]) } ?? 0
          coefficients.append(Float((result.dlogp[answer] + own) / Double(sizes.pairs)))
        }
        answer += 1
      }
    }
    return coefficients
  }

  private func backward(_ pass: ScoredPass, _ coefficients: ArraySlice<Float>) throws {
    let gradient = Tensor(
      Array(coefficients), shape: [coefficients.count], pool: model.backend.pool)
    try pass.graph.backward(from: pass.output, gradient: gradient)
  }
}

/// Sizes of a whole optimizer step.
struct StepSizes {
  /// Pairs; a group that is trained as labelled or answer by answer counts as one.
  let pairs: Int
  let answers: Int
  let tokens: Int

  init(_ groups: [TrainingGroup]) {
    pairs = groups.reduce(0) { $0 + $1.terms.count }
    answers = groups.reduce(0) { $0 + $1.answers.count }
    tokens = groups.reduce(0) { $0 + $1.answerTokens }
  }
}
