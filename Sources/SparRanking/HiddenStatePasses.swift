import SparCompute
import SparModel

/// How groups of sequences are cut into packed passes.
///
/// A prefix is computed once for all sequences of its group that are in the same pass.  A group that
/// does not fit goes on in the next pass, where its prefix is computed again.
struct HiddenStatePasses {
  /// A part of a group's sequences.
  struct Part: Equatable {
    var group: Int
    var sequences: Range<Int>
    /// Whether the prefix's own states are read here: once for each group.
    var readsPrefix: Bool
  }

  /// Token rows of one pass; a single sequence that needs more is a pass of its own.
  var rowsPerPass: Int

  func parts(_ groups: [TextModelGroup]) -> [[Part]] {
    var passes: [[Part]] = []
    var pass: [Part] = []
    var rows = 0
    func room(for needed: Int) -> Bool { rows == 0 || rows + needed <= rowsPerPass }
    for (index, group) in groups.enumerated() {
      let prefix = group.prefix.ids.count
      if group.sequences.isEmpty {
        guard !group.prefix.rows.isEmpty else { continue }
        if !room(for: prefix) {
          passes.append(pass)
          (pass, rows) = ([], 0)
        }
        pass.append(Part(group: index, sequences: 0..<0, readsPrefix: true))
        rows += prefix
        continue
      }
      var first = 0
      var isOpen = false
      for (place, sequence) in group.sequences.enumerated() {
        if !room(for: sequence.ids.count + (isOpen ? 0 : prefix)) {
          if isOpen {
            pass.append(Part(group: index, sequences: first..<place, readsPrefix: first == 0))
          }
          passes.append(pass)
          (pass, rows, first, isOpen) = ([], 0, place, false)
        }
        rows += sequence.ids.count + (isOpen ? 0 : prefix)
        isOpen = true
      }
      pass.append(
        Part(group: index, sequences: first..<group.sequences.count, readsPrefix: first == 0))
    }
    if !pass.isEmpty { passes.append(pass) }
    return passes
  }
}

/// One pass: its tokens, and where in it the wanted rows are.
struct HiddenStatePass {
  private(set) var batch = PackedBatch()
  /// Rows of `batch`, in the order in which `TextModelStates` takes them.
  private(set) var rows: [Int32] = []

  mutating func append(_ part: HiddenStatePasses.Part, of group: TextModelGroup) {
    let start = batch.rows
    let prefix = start..<(start + group.prefix.ids.count)
    if !prefix.isEmpty { batch.append(group.prefix.ids) }
    if part.readsPrefix { rows += group.prefix.rows.map { Int32(start + $0) } }
    for sequence in group.sequences[part.sequences] where !sequence.ids.isEmpty {
      let own = batch.rows..<(batch.rows + sequence.ids.count)
      batch.ids += sequence.ids
      batch.positions += (0..<own.count).map { Int32(prefix.count + $0) }
      batch.spans.append(
        prefix.isEmpty
          ? AttentionSpan(queries: own, keys: own)
          : AttentionSpan(queries: own, prefix: prefix, keys: own))
      rows += sequence.rows.map { Int32(own.lowerBound + $0) }
    }
  }
}
