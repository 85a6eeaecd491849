import CSparPlugin

/// Groups of sequences as C has them: one run of ids, one of rows, one of outputs.
final class LentGroups {
  private(set) var groups: [spar_tm_group] = []
  private let sequences: UnsafeMutableBufferPointer<spar_tm_rows>
  private let ids: UnsafeMutableBufferPointer<Int32>
  private let rows: UnsafeMutableBufferPointer<Int64>
  private let hidden: UnsafeMutableBufferPointer<Float>
  private let width: Int

  init(_ groups: [TextModel.Group], width: Int) {
    self.width = width
    let all = groups.flatMap { [$0.prefix] + $0.sequences }
    let rowCount = all.reduce(0) { $0 + $1.rows.count }
    ids = .allocate(capacity: all.reduce(1) { $0 + $1.ids.count })
    rows = .allocate(capacity: rowCount + 1)
    hidden = .allocate(capacity: rowCount * width + 1)
    sequences = .allocate(capacity: all.count + 1)
    hidden.initialize(repeating: 0)
    var (id, row, sequence) = (0, 0, 0)
    func lend(_ asked: TextModel.Rows) -> spar_tm_rows {
      let c = spar_tm_rows(
        ids: UnsafePointer(ids.baseAddress.map { $0 + id }), n_ids: Int64(asked.ids.count),
        rows: UnsafePointer(rows.baseAddress.map { $0 + row }), n_rows: Int64(asked.rows.count),
        hidden: hidden.baseAddress.map { $0 + row * width })
      for value in asked.ids {
        ids.initializeElement(at: id, to: value)
        id += 1
      }
      for value in asked.rows {
        rows.initializeElement(at: row, to: Int64(value))
        row += 1
      }
      return c
    }
    for group in groups {
      let first = sequence
      let prefix = lend(group.prefix)
      for asked in group.sequences {
        sequences.initializeElement(at: sequence, to: lend(asked))
        sequence += 1
      }
      self.groups.append(
        spar_tm_group(
          prefix: prefix, sequences: UnsafePointer(sequences.baseAddress.map { $0 + first }),
          n: Int64(group.sequences.count)))
    }
  }

  /// What the host wrote.
  var states: [TextModel.States] {
    func read(_ c: spar_tm_rows) -> [Float] {
      Array(UnsafeBufferPointer(start: c.hidden, count: Int(c.n_rows) * width))
    }
    return groups.map { group in
      TextModel.States(
        prefix: read(group.prefix),
        sequences: UnsafeBufferPointer(start: group.sequences, count: Int(group.n)).map(read))
    }
  }

  deinit {
    ids.deallocate()
    rows.deallocate()
    hidden.deallocate()
    sequences.deallocate()
  }
}
