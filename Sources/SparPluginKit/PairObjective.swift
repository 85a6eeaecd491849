import CSparPlugin

/// An objective that is a sum over pairs of a chosen and a rejected answer.
public protocol PairObjective: AnyObject {
  /// β for the rewards β·log π/π_ref that are reported to people.
  var beta: Double { get }

  /// Loss and derivatives of the pair of `rows.chosen` and `rows.rejected`.
  func pair(_ rows: PairRows) -> PairLoss

  /// Loss and derivative of one answer, for an objective that needs no opponent; the loss of a
  /// group is the mean over its answers.  Never called without `SPAR_OBJ_ANSWERS` in `needs`.
  func answer(_ row: AnswerRow) -> AnswerLoss?
}

extension PairObjective {
  public func answer(_ row: AnswerRow) -> AnswerLoss? { nil }
}

/// The loss of one answer and d(loss)/d(log π).
public struct AnswerLoss {
  public var value: Double
  public var derivative: Double
  /// (sum, weight) of each metric that the objective announced, in its order.
  public var metrics: [(sum: Double, weight: Double)]

  public init(
    value: Double, derivative: Double, metrics: [(sum: Double, weight: Double)] = []
  ) {
    self.value = value
    self.derivative = derivative
    self.metrics = metrics
  }
}

/// One row of a batch.  An input that the objective did not announce must not be read.
public struct AnswerRow {
  let batch: UnsafeMutablePointer<spar_objective_batch>
  let row: Int

  /// log π/π_ref in nats, summed over the answer's tokens.
  public var logRatio: Double { batch.pointee.logp[row] - batch.pointee.ref_logp[row] }
  public var tokens: Int { Int(batch.pointee.n_tokens[row]) }
  /// Mean over all K answers of the group of P(row beats answer).
  public var winRate: Double { batch.pointee.win_prob[row] }
  /// Mean over all K answers of the group of the log-odds W(row, answer).
  public var meanScore: Double { batch.pointee.mean_score[row] }
}

/// The loss of one pair in two halves, one for each row, and d(loss)/d(log π) of the rows.
public struct PairLoss {
  public var chosen: Double
  public var rejected: Double
  public var dChosen: Double
  public var dRejected: Double
  /// (sum, weight) of each metric that the objective announced, in its order.
  public var metrics: [(sum: Double, weight: Double)]

  public init(
    chosen: Double, rejected: Double, dChosen: Double, dRejected: Double,
    metrics: [(sum: Double, weight: Double)] = []
  ) {
    self.chosen = chosen
    self.rejected = rejected
    self.dChosen = dChosen
    self.dRejected = dRejected
    self.metrics = metrics
  }
}

/// Two rows of a batch.  An input that the objective did not announce must not be read.
public struct PairRows {
  let batch: UnsafeMutablePointer<spar_objective_batch>
  let firstRow: Int
  let rowCount: Int
  let blockStart: Int
  public let chosen: Int
  public let rejected: Int

  public var winner: AnswerRow { AnswerRow(batch: batch, row: chosen) }
  public var loser: AnswerRow { AnswerRow(batch: batch, row: rejected) }

  /// log π/π_ref in nats, summed over the answer's tokens.
  public func logRatio(_ row: Int) -> Double { AnswerRow(batch: batch, row: row).logRatio }
  /// P(chosen beats rejected).
  public var winProbability: Double {
    batch.pointee.pairwise[blockStart + (chosen - firstRow) * rowCount + rejected - firstRow]
  }
}

/// Describes a pair objective.
///
/// Every +1 row of a group meets every -1 row of it; with `SPAR_OBJ_ANSWERS` among its `needs`, a
/// group without labels is a mean over its answers.  The metrics are `rewards/chosen`,
/// `rewards/rejected`, `rewards/margins`, `rewards/accuracies` (TRL's names; a tie counts 0; of
/// pairs only) and then `metrics`.
public func pairObjective(
  id: String, name: String, doc: String, formula: String? = nil, paper: String? = nil,
  options: [Option], needs: Int, metrics: [String] = [], create: CreateFunction
) -> Component {
  let names = ["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies"]
  let api: UnsafePointer<spar_objective_api> = forever {
    $0.struct_size = UInt64(MemoryLayout<spar_objective_api>.size)
    $0.needs = UInt64(needs)
    $0.metric_names = foreverTexts(names + metrics)
    $0.evaluate = { me, batch in
      guarded {
        guard let batch else { throw PluginFailure("called without a batch") }
        try sumOverPairs(of: object(me, as: (any PairObjective).self), batch)
      }
    }
  }
  return Component(
    kind: UInt32(SPAR_KIND_OBJECTIVE), id: id, name: name,
    doc: componentDoc(doc, formula: formula, paper: paper), options: options, create: create,
    api: api)
}

private func sumOverPairs(
  of objective: any PairObjective, _ batch: UnsafeMutablePointer<spar_objective_batch>
) throws {
  guard let begin = batch.pointee.begin, let label = batch.pointee.label,
    let loss = batch.pointee.loss, let dlogp = batch.pointee.dlogp,
    batch.pointee.logp != nil, batch.pointee.ref_logp != nil, batch.pointee.n_tokens != nil
  else { throw PluginFailure("the batch lacks begin, label, logp, ref_logp, n_tokens or outputs") }
  let sum = batch.pointee.metric_sum
  let weight = batch.pointee.metric_weight
  func report(_ metric: Int, _ value: Double, _ by: Double = 1) {
    sum?[metric] += value
    weight?[metric] += by
  }
  var blockStart = 0
  for group in 0..<Int(batch.pointee.n_groups) {
    let first = Int(begin[group])
    let end = Int(begin[group + 1])
    if (first..<end).allSatisfy({ label[$0] == 0 }) {
      // The mean over the answers: two of them weigh as much as the pair that they are.
      let share = 1 / Double(max(end - first, 1))
      for row in first..<end {
        guard let term = objective.answer(AnswerRow(batch: batch, row: row)) else { continue }
        loss[row] += share * term.value
        dlogp[row] += share * term.derivative
        for (i, metric) in term.metrics.enumerated() {
          report(4 + i, share * metric.sum, share * metric.weight)
        }
      }
    }
    for chosen in first..<end where label[chosen] > 0 {
      for rejected in first..<end where label[rejected] < 0 {
        let rows = PairRows(
          batch: batch, firstRow: first, rowCount: end - first, blockStart: blockStart,
          chosen: chosen, rejected: rejected)
        let term = objective.pair(rows)
        loss[chosen] += term.chosen
        loss[rejected] += term.rejected
        dlogp[chosen] += term.dChosen
        dlogp[rejected] += term.dRejected
        let won = objective.beta * rows.logRatio(chosen)
        let lost = objective.beta * rows.logRatio(rejected)
        report(0, won)
        report(1, lost)
        report(2, won - lost)
        report(3, won > lost ? 1 : 0)
        for (i, metric) in term.metrics.enumerated() { report(4 + i, metric.sum, metric.weight) }
      }
    }
    blockStart += (end - first) * (end - first)
  }
}
