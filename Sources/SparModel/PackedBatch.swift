import SparCompute

/// Tokens of several sequences as one run of rows, without padding.
public struct PackedBatch: Equatable, Sendable {
  public var ids: [Int32] = []
  public var positions: [Int32] = []
  public var spans: [AttentionSpan] = []

  public init() {}

  public var rows: Int { ids.count }

  /// Appends one plain sequence from position 0; returns its rows.
  @discardableResult
  public mutating func append(_ tokens: [Int32]) -> Range<Int> {
    let range = rows..<(rows + tokens.count)
    ids += tokens
    positions += (0..<tokens.count).map(Int32.init)
    spans.append(AttentionSpan(queries: range, keys: range))
    return range
  }
}

/// Prompts with their answers, each prompt's rows shared by all of its answers.
///
/// The row before an answer's first token is the prompt's last row; an answer's own last token
/// predicts nothing and gets no row.  `heads[i]` is the row whose output predicts `targets[i]`.
public struct ScoringBatch: Sendable {
  public private(set) var packed = PackedBatch()
  public private(set) var heads: [Int32] = []
  public private(set) var targets: [Int32] = []
  /// For each answer, in the order of appending, its places in `targets`.
  public private(set) var answers: [Range<Int>] = []

  public init() {}

  public mutating func append(prompt: [Int32], answers group: [[Int32]]) {
    precondition(!prompt.isEmpty, "a prompt has at least one token")
    let prefix = packed.append(prompt)
    for answer in group {
      let first = targets.count
      let rows = packed.rows..<(packed.rows + max(answer.count - 1, 0))
      if !rows.isEmpty {
        packed.ids += answer.dropLast()
        packed.positions += (0..<rows.count).map { Int32(prompt.count + $0) }
        packed.spans.append(AttentionSpan(queries: rows, prefix: prefix, keys: rows))
      }
      for (index, target) in answer.enumerated() {
        heads.append(Int32(index == 0 ? prefix.upperBound - 1 : rows.lowerBound + index - 1))
        targets.append(target)
      }
      answers.append(first..<targets.count)
    }
  }
}
