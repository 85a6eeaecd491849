import SparHost

/// What an objective is asked about some groups, and how its answer comes back to their answers.
///
/// A group that is trained on pairs is shown once for each of them, as a group of two: the model
/// has read each answer once, however many pairs it is part of.
struct ObjectiveQuery {
  let batch: ObjectiveBatch
  /// log pi(y|x) of every answer of the groups; sums are taken in f64.
  let answerLogps: [Double]
  /// The answer behind each row of the batch.
  private let rows: [Int]
  /// Where each answer's tokens are.
  private let tokens: [Range<Int>]

  /// `logps` are the log-probabilities of the answers' tokens, end to end; `sumP2` likewise.
  init(
    _ groups: ArraySlice<TrainingGroup>, logps: [Float], sumP2: [Float], needs: ObjectiveNeeds,
    sizes: StepSizes, progress: Double
  ) {
    let answers = groups.flatMap(\.answers)
    var tokens: [Range<Int>] = []
    var first = 0
    for answer in answers {
      tokens.append(first..<(first + answer.ids.count))
      first += answer.ids.count
    }
    let sums = tokens.map { logps[$0].reduce(0.0) { $0 + Double($1) } }
    var (begin, rows, label): ([Int64], [Int], [Int8]) = ([0], [], [])
    var (pairwise, score): ([Double], [Double]) = ([], [])
    var firstAnswer = 0
    for group in groups {
      let width = group.answers.count
      for question in group.questions {
        rows += question.rows.map { firstAnswer + $0 }
        label += question.labels
        begin.append(Int64(rows.count))
        for i in question.rows {
          pairwise += question.rows.map { group.pairwise[i * width + $0] }
          score += question.rows.map { group.score[i * width + $0] }
        }
      }
      firstAnswer += width
    }
    func perToken(_ values: [Float]) -> [Float] { rows.flatMap { values[tokens[$0]] } }
    let hasReference = needs.contains(.reference)
    let columns = Self.columns(groups).mapValues { values in rows.map { values[$0] } }
    batch = ObjectiveBatch(
      begin: begin, logp: rows.map { sums[$0] },
      refLogp: hasReference ? rows.map { answers[$0].refLogp ?? 0 } : nil,
      winProb: rows.map { answers[$0].winProb }, meanScore: rows.map { answers[$0].meanScore },
      pairwise: pairwise, score: score, nTokens: rows.map { Int64(answers[$0].ids.count) },
      label: label, tokLogp: perToken(logps),
      tokRefLogp: hasReference && needs.contains(.tokens)
        ? rows.flatMap { answers[$0].tokenRefLogps } : nil,
      tokSumP2: needs.contains(.sumP2) ? perToken(sumP2) : nil, columns: columns,
      stepPairs: Int64(sizes.pairs), stepAnswers: Int64(sizes.answers),
      stepTokens: Int64(sizes.tokens), progress: progress)
    answerLogps = sums
    self.rows = rows
    self.tokens = tokens
  }

  /// The batch with answer i's log-probability moved by `distances[i]` nats.
  func moved(by distances: [Double]) -> ObjectiveBatch {
    var batch = batch
    for (row, answer) in rows.enumerated() { batch.logp[row] += distances[answer] }
    return batch
  }

  /// Sums what the objective said about the rows over the rows of each answer.
  func folded(_ result: BatchDerivative) -> BatchDerivative {
    var folded = BatchDerivative(
      loss: answerLogps.map { _ in 0 }, dlogp: answerLogps.map { _ in 0 },
      metricSum: result.metricSum, metricWeight: result.metricWeight)
    for (row, answer) in rows.enumerated() {
      folded.loss[answer] += result.loss[row]
      folded.dlogp[answer] += result.dlogp[row]
    }
    if let own = result.dtokLogp {
      var sums = [Float](repeating: 0, count: tokens.last?.upperBound ?? 0)
      var place = 0
      for answer in rows {
        for token in tokens[answer] {
          sums[token] += own[place]
          place += 1
        }
      }
      folded.dtokLogp = sums
    }
    return folded
  }

  /// Columns that every group has.
  private static func columns(_ groups: ArraySlice<TrainingGroup>) -> [String: [Double]] {
    var columns = groups.first?.columns ?? [:]
    for group in groups.dropFirst() {
      columns = columns.reduce(into: [:]) { kept, column in
        if let more = group.columns[column.key] { kept[column.key] = column.value + more }
      }
    }
    return columns
  }
}
