import SparCompute
import SparModel
import SparTensor

/// Loss of a batch of comparisons, and its gradient where parameters want one.
struct RankerStep {
  let model: RankerModel
  let data: RankerData
  let options: RankerTrainingOptions
  /// The transformer's states, where it is not trained.
  let features: RankerFeatures?
  let checkpoint: () throws -> Void

  private var gate: Bool { model.prompt != nil }

  /// Evaluates `pairs` (indices); with `recording` adds d mean loss / d parameter to gradients.
  func run(_ pairs: [Int], recording: Bool) throws -> RankerObjective.Outcome {
    let objective = RankerObjective(model: model, loss: options.loss)
    var outcome = RankerObjective.Outcome()
    for pass in passes(pairs) {
      try checkpoint()
      let compared = pass.map { data.pairs[$0] }
      let (sequences, rows) = placed(compared)
      let states = try states(sequences, recording: recording)
      let outputs = try model.outputs(states)
      let c = options.languageModelLoss.coefficient
      let weight = (1 - c) / Double(pairs.count)
      let evaluated = objective.evaluate(outputs, compared, rows: rows, weight: weight)
      var found = evaluated.0
      var language: (Variable, Tensor)?
      if c > 0 {
        language = try languageModel(
          compared, states, rows: rows, weight: c / Double(pairs.count), &found)
      }
      outcome.add(found)
      guard recording else { continue }
      var seeds = objective.seeds(evaluated.1, outputs)
      if let language { seeds.append(language) }
      try states.graph.backward(from: seeds)
    }
    return outcome
  }

  func scores() throws -> [ComparisonScore] {
    let width = model.backbone.config.hiddenSize
    return try passes(Array(data.pairs.indices)).flatMap { pass in
      try checkpoint()
      let compared = pass.map { data.pairs[$0] }
      let (sequences, rows) = placed(compared)
      let outputs = try model.outputs(states(sequences, recording: false))
      return compared.map { pair -> ComparisonScore in
        guard let i = rows[pair.chosen], let j = rows[pair.rejected] else {
          preconditionFailure("both answers of a comparison are among the rows")
        }
        let score = model.head.scoreAndGradient(
          outputs.raw[i], outputs.raw[j], gate: outputs.gate.isEmpty ? [] : outputs.gate[i],
          width: width
        ).score
        return ComparisonScore(first: score, second: score)
      }
    }
  }

  /// The sequences of some comparisons, those of one prompt together, and the place of each.
  private func placed(_ pairs: [RankerData.Pair]) -> (sequences: [Int], rows: [Int: Int]) {
    let sequences = Set(pairs.flatMap { [$0.chosen, $0.rejected] }).sorted {
      (data.sequences[$0].prefix, $0) < (data.sequences[$1].prefix, $1)
    }
    return (
      sequences, Dictionary(uniqueKeysWithValues: zip(sequences, sequences.indices))
    )
  }

  private func states(_ sequences: [Int], recording: Bool) throws -> RankerStates {
    try features?.states(
      data, sequences, gate: gate, backend: model.backbone.backend, recording: recording)
      ?? model.backbone.states(data, sequences, gate: gate, recording: recording)
  }

  /// The loss of what was found, by comparison.
  func total(_ outcome: RankerObjective.Outcome) -> Double {
    let c = options.languageModelLoss.coefficient
    let n = Double(max(outcome.pairs, 1))
    return (1 - c) * outcome.loss / n + c * outcome.languageModelLoss / n
  }

  /// Log-probabilities of the sequences' tokens, and d loss / d each of them.
  private func languageModel(
    _ pairs: [RankerData.Pair], _ states: RankerStates, rows: [Int: Int], weight: Double,
    _ outcome: inout RankerObjective.Outcome
  ) throws -> (Variable, Tensor)? {
    guard let pass = states.pass else { return nil }
    let form = options.languageModelLoss
    var heads: [Int32] = []
    var targets: [Int32] = []
    var ranges: [Int: Range<Int>] = [:]
    func add(_ sequence: Int) {
      guard ranges[sequence] == nil, let row = rows[sequence] else { return }
      let (own, tokens) = pass.rows.predictions[row]
      ranges[sequence] = targets.count..<(targets.count + tokens.count)
      heads += own
      targets += tokens
    }
    for pair in pairs {
      add(pair.chosen)
      if form.form == .dpo { add(pair.rejected) }
    }
    let gathered = try states.graph.gather(pass.hidden, rows: heads)
    let logps = try states.graph.linearLogp(
      gathered, model.backbone.architecture.head, targets: targets)
    let values = logps.value.array()
    var slopes = [Float](repeating: 0, count: values.count)
    func sum(_ sequence: Int) -> (sum: Double, range: Range<Int>) {
      let range = ranges[sequence] ?? 0..<0
      return (values[range].reduce(0) { $0 + Double($1) }, range)
    }
    for pair in pairs {
      let (chosen, rejected) = (sum(pair.chosen), sum(pair.rejected))
      let found = form.value(
        chosen: chosen.sum, tokens: chosen.range.count, rejected: rejected.sum,
        tokens: rejected.range.count)
      outcome.languageModelLoss += found.loss
      for i in chosen.range { slopes[i] += Float(weight * found.chosen) }
      for i in rejected.range { slopes[i] += Float(weight * found.rejected) }
    }
    return (
      logps, Tensor(slopes, shape: [slopes.count], pool: model.backbone.backend.pool)
    )
  }

  /// Whole comparisons, as many as fit in a pass; prompts that they share count once.
  private func passes(_ pairs: [Int]) -> [[Int]] {
    guard features == nil else { return pairs.isEmpty ? [] : [pairs] }
    var passes: [[Int]] = []
    var current: [Int] = []
    var rows = 0
    var seen: Set<Int> = []
    var prompts: Set<Int> = []
    for index in pairs {
      let pair = data.pairs[index]
      var added = 0
      for sequence in [pair.chosen, pair.rejected] where seen.insert(sequence).inserted {
        added += data.sequences[sequence].ids.count
        let prefix = data.sequences[sequence].prefix
        if prompts.insert(prefix).inserted { added += data.prefixes[prefix].count }
      }
      if rows + added > options.training.tokensPerPass, !current.isEmpty {
        passes.append(current)
        current = []
        rows = 0
        seen = [pair.chosen, pair.rejected]
        prompts = [data.sequences[pair.chosen].prefix, data.sequences[pair.rejected].prefix]
        added =
          seen.reduce(0) { $0 + data.sequences[$1].ids.count }
          + prompts.reduce(0) { $0 + data.prefixes[$1].count }
      }
      current.append(index)
      rows += added
    }
    return current.isEmpty ? passes : passes + [current]
  }
}
