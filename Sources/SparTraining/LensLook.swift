import SparHost

/// One objective's look at one prompt.
struct LensLook {
  let reading: LensReading
  /// [tokens] d loss / d log-probability of each answer token.
  let coefficients: [Double]
  /// [m] log π(y|x), nats.
  let logps: [Double]

  init(_ group: TrainingGroup, _ pass: ScoredPass, _ subject: Lens.Subject) throws {
    let sizes = StepSizes([group])
    let objective = subject.objective
    let query = ObjectiveQuery(
      [group], logps: pass.tokenLogps, sumP2: pass.tokenSumP2, needs: objective.needs,
      sizes: sizes, progress: 0)
    let found = query.folded(try objective.differentiate(query.batch))
    let scale = 1 / Double(sizes.pairs)
    var coefficients: [Double] = []
    var derivatives: [Double] = []
    for (answer, row) in group.answers.enumerated() {
      let first = coefficients.count
      for token in first..<(first + row.ids.count) {
        let own = found.dtokLogp.map { Double($0[token]) } ?? 0
        coefficients.append(scale * (found.dlogp[answer] + own))
      }
      derivatives.append(coefficients[first...].reduce(0, +) / Double(row.ids.count))
    }
    self.coefficients = coefficients
    logps = query.answerLogps
    reading = LensReading(
      objective: subject.name, loss: scale * found.loss.reduce(0, +),
      targets: try Self.targets(group, query, found.dlogp, objective), derivatives: derivatives)
  }

  /// Log-ratios at which no answer is pushed any more.
  ///
  /// The interface does not speak of targets, so they are found from outside: an answer whose loss
  /// is a parabola in its own log-probability has its vertex one Newton step away.  If after this
  /// step of all answers at once every derivative is zero, these are the targets; a logistic loss,
  /// or one of differences, fails this test and has none.
  private static func targets(
    _ group: TrainingGroup, _ query: ObjectiveQuery, _ slopes: [Double],
    _ objective: any TrainingObjective
  ) throws -> [Double?] {
    let none = [Double?](repeating: nil, count: slopes.count)
    let steepest = slopes.map(abs).max() ?? 0
    guard objective.needs.contains(.reference), !objective.needs.contains(.tokens) else {
      return none
    }
    var steps = [Double?](repeating: nil, count: slopes.count)
    for answer in slopes.indices {
      var nudge = [Double](repeating: 0, count: slopes.count)
      nudge[answer] = 1
      let bent = query.folded(try objective.differentiate(query.moved(by: nudge)))
      let curvature = bent.dlogp[answer] - slopes[answer]
      // No slope and no curvature: the answer takes no part.
      if curvature == 0, slopes[answer] == 0 { continue }
      guard curvature > 0 else { return none }
      steps[answer] = -slopes[answer] / curvature
    }
    let arrived = query.folded(
      try objective.differentiate(query.moved(by: steps.map { $0 ?? 0 })))
    guard arrived.dlogp.allSatisfy({ abs($0) <= 1e-9 * max(steepest, 1) }) else { return none }
    return zip(steps, zip(query.answerLogps, group.answers)).map { step, row in
      step.map { row.0 - (row.1.refLogp ?? row.0) + $0 }
    }
  }
}
