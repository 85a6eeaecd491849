import SparCompute
import SparModel
import SparTensor

/// Packed rows of some sequences, and where their states are read.
struct RankerRows {
  private(set) var batch = PackedBatch()
  /// For each sequence, the row of its last token.
  private(set) var last: [Int32] = []
  /// For each sequence, the row of its prompt's last token.
  private(set) var turnEnd: [Int32] = []

  /// For each sequence, the rows whose output predicts one of its tokens, prompt included, and
  /// those tokens.
  private(set) var predictions: [(rows: [Int32], targets: [Int32])] = []

  /// Every prompt's rows are shared by its sequences.
  init(_ data: RankerData, sequences: some Sequence<Int>) {
    var placed: [Int: Range<Int>] = [:]
    for index in sequences {
      let sequence = data.sequences[index]
      let prompt = data.prefixes[sequence.prefix]
      let prefix: Range<Int>
      if let present = placed[sequence.prefix] {
        prefix = present
      } else {
        prefix = batch.append(prompt)
        placed[sequence.prefix] = prefix
      }
      let own = batch.rows..<(batch.rows + sequence.ids.count)
      batch.ids += sequence.ids
      batch.positions += (0..<own.count).map { Int32(prompt.count + $0) }
      batch.spans.append(AttentionSpan(queries: own, prefix: prefix, keys: own))
      last.append(Int32(own.upperBound - 1))
      turnEnd.append(Int32(prefix.upperBound - 1))
      predictions.append(
        (
          prefix.map { Int32($0) } + own.dropLast().map { Int32($0) },
          prompt.dropFirst() + sequence.ids
        ))
    }
  }
}

/// The states that heads read: one row a sequence.
struct RankerStates {
  let graph: Graph
  /// [n, C] at the last tokens.
  let last: Variable
  /// [n, C] at the ends of the prompts; nil without a gate.
  let turnEnd: Variable?
  /// All rows and where they are; nil where states were computed before.
  var pass: (rows: RankerRows, hidden: Variable)?
}

extension LanguageModel {
  /// Final states of `sequences` in one pass, differentiable when `recording`.
  func states(
    _ data: RankerData, _ sequences: [Int], gate: Bool, recording: Bool
  ) throws -> RankerStates {
    let rows = RankerRows(data, sequences: sequences)
    let graph = Graph(backend, recording: recording)
    let hidden = try architecture.hidden(rows.batch, graph, cached: nil)
    return RankerStates(
      graph: graph, last: try graph.gather(hidden, rows: rows.last),
      turnEnd: gate ? try graph.gather(hidden, rows: rows.turnEnd) : nil, pass: (rows, hidden))
  }
}
