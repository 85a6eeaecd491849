import SparCompute
import SparModel
import SparStore

/// Groups packed into one forward pass, and which of its rows are kept.
///
/// Unlike a scoring batch it has a row for every token, the last one included: a row belongs to the
/// token that it reads, and its logits speak of the token after that.
struct CapturePass {
  private(set) var batch = PackedBatch()
  /// Rows of `batch` that are kept, sample after sample.
  private(set) var rows: [Int32] = []
  private(set) var rowPositions: [Int32] = []
  private(set) var rowTokens: [Int32] = []
  private(set) var samples: [ActivationsFile.Sample] = []

  init(_ groups: [CaptureGroup], positions: CaptureOptions.Positions) {
    for group in groups {
      precondition(!group.prompt.isEmpty, "a prompt has at least one token")
      let prefix = batch.append(group.prompt)
      for answer in group.answers {
        let own = batch.rows..<(batch.rows + answer.ids.count)
        if !own.isEmpty {
          batch.ids += answer.ids
          batch.positions += (0..<own.count).map { Int32(group.prompt.count + $0) }
          batch.spans.append(AttentionSpan(queries: own, prefix: prefix, keys: own))
        }
        let kept: [Int] =
          switch positions {
          case .all: Array(prefix) + Array(own)
          case .last: [own.last ?? prefix.upperBound - 1]
          case .completion: Array(own)
          }
        for row in kept {
          rows.append(Int32(row))
          rowPositions.append(batch.positions[row])
          rowTokens.append(batch.ids[row])
        }
        var sample = ActivationsFile.Sample(
          id: answer.id, prompt: group.index, promptTokens: group.prompt.count, rows: kept.count)
        sample.answer = answer.number
        sample.step = group.step
        sample.label = answer.label
        samples.append(sample)
      }
    }
  }
}
