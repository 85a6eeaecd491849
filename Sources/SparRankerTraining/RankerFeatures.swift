import SparCompute
import SparHost
import SparModel
import SparTensor

/// States of all sequences under a transformer that is not trained, computed once.
///
/// Row bits do not depend on what else is in a pass, so training on them is training on the
/// model.
struct RankerFeatures {
  /// [C] of each sequence, in the order of the data; empty where it is in no pair.
  private(set) var last: [[Float]]
  /// [C] of each prefix; empty where nobody reads it.
  private(set) var turnEnd: [[Float]]

  /// - Parameter kept: states that are at hand, and where new ones go.
  init(
    _ data: RankerData, under model: LanguageModel, gate: Bool, tokensPerPass: Int,
    kept: StatesFile? = nil, progress: ProgressHandler, isCancelled: () -> Bool
  ) throws {
    last = Array(repeating: [], count: data.sequences.count)
    turnEnd = Array(repeating: [], count: data.prefixes.count)
    let missing = recall(data, gate: gate, from: kept)
    // Answers of one prompt next to one another, so that its rows are computed once.
    let order = missing.sorted {
      (data.sequences[$0].prefix, $0) < (data.sequences[$1].prefix, $1)
    }
    var done = 0
    while done < order.count {
      if isCancelled() { throw RankerTrainingError.cancelled(step: 0, checkpoint: nil) }
      let pass = Self.pass(order[done...], data, limit: tokensPerPass)
      let states = try model.states(data, Array(pass), gate: gate, recording: false)
      let (ends, turns) = (states.last.value.array(), states.turnEnd?.value.array())
      let width = model.config.hiddenSize
      for (place, sequence) in pass.enumerated() {
        let range = (place * width)..<((place + 1) * width)
        last[sequence] = Array(ends[range])
        if let turns { turnEnd[data.sequences[sequence].prefix] = Array(turns[range]) }
      }
      try kept?.add(
        pass.flatMap { sequence in
          let prompt = data.prefixes[data.sequences[sequence].prefix]
          let end = turnEnd[data.sequences[sequence].prefix]
          return [(StatesFile.key(prompt + data.sequences[sequence].ids), last[sequence])]
            + (end.isEmpty ? [] : [(StatesFile.key(prompt), end)])
        })
      done += pass.count
      progress(
        SparHost.Progress(
          stage: "train-ranker", done: Double(done), total: Double(order.count),
          unit: "answers", detail: "reading answers"))
    }
  }

  /// Takes what is kept; returns the sequences whose states are not.
  private mutating func recall(
    _ data: RankerData, gate: Bool, from kept: StatesFile?
  ) -> [Int] {
    guard let kept else { return data.usedSequences }
    return data.usedSequences.filter { index in
      let sequence = data.sequences[index]
      let prompt = data.prefixes[sequence.prefix]
      guard let state = kept[StatesFile.key(prompt + sequence.ids)] else { return true }
      if gate {
        guard let end = kept[StatesFile.key(prompt)] else { return true }
        turnEnd[sequence.prefix] = end
      }
      last[index] = state
      return false
    }
  }

  /// As many sequences as fit in `limit` rows, at least one.
  private static func pass(
    _ order: ArraySlice<Int>, _ data: RankerData, limit: Int
  ) -> ArraySlice<Int> {
    var rows = 0
    var seen: Set<Int> = []
    for (count, index) in order.enumerated() {
      let sequence = data.sequences[index]
      rows += sequence.ids.count
      if seen.insert(sequence.prefix).inserted { rows += data.prefixes[sequence.prefix].count }
      if rows > limit, count > 0 { return order.prefix(count) }
    }
    return order
  }

  /// The states of `sequences` as constants.
  func states(
    _ data: RankerData, _ sequences: [Int], gate: Bool, backend: Backend, recording: Bool
  ) -> RankerStates {
    let graph = Graph(backend, recording: recording)
    func constant(_ rows: [[Float]]) -> Variable {
      graph.constant(
        Tensor(
          rows.flatMap { $0 }, shape: [rows.count, rows.first?.count ?? 0], pool: backend.pool))
    }
    return RankerStates(
      graph: graph, last: constant(sequences.map { last[$0] }),
      turnEnd: gate ? constant(sequences.map { turnEnd[data.sequences[$0].prefix] }) : nil)
  }
}
