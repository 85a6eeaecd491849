/// A figure of each held-out prompt in each replicate of an arm: rows replicates, columns prompts.
struct PromptTable: Equatable {
  var replicates: [String]
  var prompts: [String]
  /// `cells[r][p]`; nil where the figure does not exist, as a length-matched win without a match.
  var cells: [[Double?]]

  init(replicates: [String], prompts: [String], cells: [[Double?]]) {
    precondition(cells.count == replicates.count, "a row for each replicate")
    precondition(cells.allSatisfy { $0.count == prompts.count }, "a cell for each prompt")
    self.replicates = replicates
    self.prompts = prompts
    self.cells = cells
  }

  /// From one list of (prompt, figure) a replicate; prompts that a replicate lacks are left out
  /// everywhere, those without any figure, too.
  init(_ rows: [(replicate: String, figures: [(prompt: String, value: Double?)])]) {
    let found = rows.map { row in
      Dictionary(row.figures.map { ($0.prompt, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
    var seen: Set<String> = []
    let shared = (rows.first?.figures.map(\.prompt) ?? []).filter { prompt in
      found.allSatisfy { $0.keys.contains(prompt) }
        && found.contains { $0[prompt].flatMap { $0 } != nil } && seen.insert(prompt).inserted
    }
    self.init(
      replicates: rows.map(\.replicate), prompts: shared,
      cells: found.map { row in shared.map { row[$0].flatMap { $0 } } })
  }

  var isEmpty: Bool { cells.allSatisfy { $0.allSatisfy { $0 == nil } } }

  /// Over all cells that exist.
  var mean: Double {
    let values = cells.flatMap { $0.compactMap { $0 } }
    return values.reduce(0, +) / Double(values.count)
  }

  /// The mean over replicates as the only row.
  var averaged: PromptTable {
    let row = prompts.indices.map { column -> Double? in
      let values = cells.compactMap { $0[column] }
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    return PromptTable(replicates: [""], prompts: prompts, cells: [row])
  }

  /// The tables over the prompts and the replicates that all of them have, in the order of the
  /// first; without a common replicate, over averages of their own.  Nil without common prompts.
  static func aligned(_ tables: [PromptTable]) -> [PromptTable]? {
    guard let first = tables.first else { return nil }
    let common = first.replicates.filter { name in
      tables.allSatisfy { $0.replicates.contains(name) }
    }
    let rows = common.isEmpty ? tables.map(\.averaged) : tables
    let names = common.isEmpty ? [""] : common
    let prompts = first.prompts.filter { prompt in
      tables.allSatisfy { $0.prompts.contains(prompt) }
    }
    guard !prompts.isEmpty else { return nil }
    return rows.map { table in
      let columns = prompts.compactMap { table.prompts.firstIndex(of: $0) }
      return PromptTable(
        replicates: names, prompts: prompts,
        cells: names.compactMap { table.replicates.firstIndex(of: $0) }.map { row in
          columns.map { table.cells[row][$0] }
        })
    }
  }

  /// Cell by cell; nil where one of them is.
  static func - (a: PromptTable, b: PromptTable) -> PromptTable {
    precondition(a.prompts == b.prompts && a.replicates == b.replicates, "aligned tables")
    return PromptTable(
      replicates: a.replicates, prompts: a.prompts,
      cells: zip(a.cells, b.cells).map { mine, others in
        zip(mine, others).map { x, y in
          guard let x, let y else { return nil }
          return x - y
        }
      })
  }
}
