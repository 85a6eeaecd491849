import Foundation
import SparCompute
import SparHost
import SparModel
import SparPairInput
import SparTensor

/// Loss of comparisons under a cross-encoder, and its gradient.
///
/// A training step reads each comparison once, the better answer first or second by a coin that
/// depends on seed, step and comparison, so that the ranker learns both orders.  Validation reads
/// both orders and takes the mean of their scores, as ranking does.
struct CrossEncoderStep: RankerEvaluation {
  let ranker: CrossEncoder
  let data: RankerData
  let options: RankerTrainingOptions
  /// The states that the head reads, [3 C] by comparison and order, where the encoder is not trained.
  var states: [Reading: [Float]]?
  let checkpoint: () throws -> Void

  /// A comparison in one order.
  struct Reading: Hashable {
    var pair: Int
    /// Whether the rejected answer stands first.
    var isSwapped: Bool
  }

  func run(_ pairs: [Int], step: Int, recording: Bool) throws -> RankerObjective.Outcome {
    var outcome = RankerObjective.Outcome()
    for pass in passes(readings(pairs, step: step, both: !recording)) {
      try checkpoint()
      let graph = Graph(ranker.backend, recording: recording)
      let outputs = try ranker.outputs(marks(pass, graph), graph)
      let values = outputs.value.array()
      let scores = Self.scores(values, pass)
      let orders = recording ? 1 : 2
      var seeds = [Float](repeating: 0, count: values.count)
      for start in stride(from: 0, to: pass.count, by: orders) {
        let own = start..<(start + orders)
        let pair = data.pairs[pass[start].pair]
        var score = 0.0
        for place in own {
          let value = options.loss.value(
            scores[place], margin: pair.margin, probability: pair.probability,
            tau: options.loss.tau, blended: false)
          outcome.loss += value.loss / Double(orders)
          outcome.probability += value.probability / Double(orders)
          score += scores[place] / Double(orders)
          let slope = Float(value.slope / Double(pairs.count) * (pass[place].isSwapped ? -1 : 1))
          seeds[2 * place] = slope
          seeds[2 * place + 1] = -slope
        }
        outcome.pairs += 1
        guard pair.probability != 0.5 else { continue }
        outcome.decided += 1
        // A tie is wrong on either side.
        outcome.correct += (pair.probability > 0.5 ? score > 0 : score < 0) ? 1 : 0
      }
      guard recording else { continue }
      try graph.backward(
        from: outputs,
        gradient: Tensor(seeds, shape: outputs.value.shape, pool: ranker.backend.pool))
    }
    return outcome
  }

  func scores() throws -> [ComparisonScore] {
    let all = readings(Array(data.pairs.indices), step: 0, both: true)
    let found = try passes(all).flatMap { pass in
      try checkpoint()
      let graph = Graph(ranker.backend)
      return Self.scores(try ranker.outputs(marks(pass, graph), graph).value.array(), pass)
    }
    return stride(from: 0, to: found.count, by: 2).map {
      ComparisonScore(first: found[$0], second: found[$0 + 1])
    }
  }

  /// f(first) − f(second) from outputs [n, 2], turned so that it speaks for the chosen answer.
  private static func scores(_ values: [Float], _ pass: [Reading]) -> [Double] {
    pass.enumerated().map { place, reading in
      Double(values[2 * place] - values[2 * place + 1]) * (reading.isSwapped ? -1 : 1)
    }
  }

  func total(_ outcome: RankerObjective.Outcome) -> Double {
    outcome.loss / Double(max(outcome.pairs, 1))
  }

  /// States of every comparison in both orders, under an encoder that is not trained.
  func allStates(_ progress: ProgressHandler) throws -> [Reading: [Float]] {
    let all = readings(Array(data.pairs.indices), step: 0, both: true)
    var found: [Reading: [Float]] = [:]
    for pass in passes(all) {
      try checkpoint()
      let values = try marks(pass, Graph(ranker.backend)).value.array()
      let width = values.count / pass.count
      for (place, reading) in pass.enumerated() {
        found[reading] = Array(values[place * width..<(place + 1) * width])
      }
      progress(
        SparHost.Progress(
          stage: "train-ranker", done: Double(found.count), total: Double(all.count),
          unit: "comparisons", detail: "reading answers"))
    }
    return found
  }

  private func readings(_ pairs: [Int], step: Int, both: Bool) -> [Reading] {
    pairs.flatMap { pair in
      if both { return [false, true].map { Reading(pair: pair, isSwapped: $0) } }
      var coin = Random(
        seed: options.training.seed, stage: .shuffle, iteration: step, item: pair, sub: 1)
      return [Reading(pair: pair, isSwapped: coin.next() % 2 == 1)]
    }
  }

  private func sequence(_ reading: Reading) -> PairInput.Pair {
    let pair = data.pairs[reading.pair]
    let (chosen, rejected) = (data.sequences[pair.chosen], data.sequences[pair.rejected])
    let (first, second) = reading.isSwapped ? (rejected, chosen) : (chosen, rejected)
    return ranker.input.pair(data.prefixes[chosen.prefix], first.ids, second.ids)
  }

  /// States [3 n, C] at the marks of prompt, first and second answer.
  private func marks(_ pass: [Reading], _ graph: Graph) throws -> Variable {
    if let states {
      let rows = pass.flatMap { states[$0] ?? [] }
      let width = ranker.model.config.hiddenSize
      return graph.constant(
        Tensor(rows, shape: [rows.count / width, width], pool: ranker.backend.pool))
    }
    var (ids, spans, rows) = ([Int32](), [Range<Int>](), [Int32]())
    for reading in pass {
      let sequence = sequence(reading)
      rows += sequence.rows.map { Int32(ids.count + $0) }
      spans.append(ids.count..<(ids.count + sequence.ids.count))
      ids += sequence.ids
    }
    return try ranker.model.encoder.hidden(ids, sequences: spans, rows: rows, graph)
  }

  /// As many as fit in a pass, at least one; the orders of a comparison stay together.
  private func passes(_ readings: [Reading]) -> [[Reading]] {
    guard states == nil else { return readings.isEmpty ? [] : [readings] }
    var passes: [[Reading]] = []
    var tokens = 0
    for reading in readings {
      let count = sequence(reading).ids.count
      if let last = passes.last?.last,
        last.pair == reading.pair || tokens + count <= options.training.tokensPerPass
      {
        passes[passes.count - 1].append(reading)
        tokens += count
      } else {
        passes.append([reading])
        tokens = count
      }
    }
    return passes
  }
}
