import SparPipeline

/// The points of a sweep: every combination of its axes, conditions and exclusions applied.
public struct Grid: Equatable, Sendable {
  public static let limit = 10_000

  /// One combination, in the order of the axes.
  public struct Cell: Equatable, Sendable {
    public var values: [ResolvedRecipe.Assignment] = []

    public subscript(name: String) -> String? { values.first { $0.key == name }?.value }

    public var text: String {
      values.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }
  }

  /// Names with all their values, in order; replicates come last, so that they vary fastest.
  public private(set) var axes: [(name: String, values: [String])] = []
  public private(set) var replicates: Set<String> = []
  public private(set) var cells: [Cell] = [Cell()]

  public static func == (a: Grid, b: Grid) -> Bool {
    a.axes.elementsEqual(b.axes) { $0.name == $1.name && $0.values == $1.values }
      && a.replicates == b.replicates && a.cells == b.cells
  }

  /// - Parameter value: what a setting is where no axis says otherwise, for conditions.
  public init(
    _ block: VaryBlock, value: (_ name: String) -> String?
  ) throws(SweepError) {
    let named =
      block.axes.map(\.name) + block.sets.flatMap { $0.rows.flatMap { $0.values.map(\.name) } }
    replicates = Set(block.replicates).union(
      named.filter { $0 == "seed" || $0.hasSuffix(".seed") })
    for name in block.replicates where !named.contains(name) {
      throw .syntax(place: "replicates", problem: "\(name) is not varied")
    }
    for sets in block.sets { try multiply(sets) }
    // Unconditional axes first, so that conditions have something to look at.
    var waiting = block.axes.filter { !replicates.contains($0.name) }
    let repeating = block.axes.filter { replicates.contains($0.name) }
    let all = Set(named)
    while !waiting.isEmpty {
      let known = Set(axes.map(\.name))
      let ready = waiting.firstIndex { axis in
        axis.branches.allSatisfy {
          $0.when.allSatisfy { known.contains($0.name) || !all.contains($0.name) }
        }
      }
      guard let ready else {
        throw .syntax(
          place: waiting[0].place,
          problem:
            "the conditions of \(waiting.map(\.name).joined(separator: " and ")) need one another")
      }
      try multiply(waiting.remove(at: ready), value)
    }
    for axis in repeating { try multiply(axis, value) }
    try exclude(block.excludes)
  }

  private mutating func multiply(_ sets: SettingSets) throws(SweepError) {
    let names = sets.rows.flatMap { $0.values.map(\.name) }
    if let twice = axes.map(\.name).first(where: names.contains) {
      throw .syntax(place: sets.place, problem: "\(twice) is varied twice")
    }
    var rows: [Cell] = []
    for row in sets.rows {
      var combined = [Cell()]
      for (name, values) in row.values {
        try note(name, values, place: sets.place, isRow: true)
        combined = combined.flatMap { cell in values.map { cell.with(name, $0) } }
      }
      rows += combined
    }
    for row in rows where rows.filter({ $0 == row }).count > 1 {
      throw .syntax(place: sets.place, problem: "the set \(row.text) is there twice")
    }
    try replace(cells.flatMap { cell in rows.map { Cell(values: cell.values + $0.values) } })
  }

  private mutating func multiply(
    _ axis: Axis, _ value: (String) -> String?
  ) throws(SweepError) {
    try note(axis.name, axis.values, place: axis.place, isRow: false)
    var applied = Set<Int>()
    var result: [Cell] = []
    for cell in cells {
      let fitting = axis.branches.indices.filter { index in
        axis.branches[index].when.allSatisfy { $0.holds(cell[$0.name] ?? value($0.name)) }
      }
      guard fitting.count <= 1 else {
        throw .syntax(
          place: axis.place, problem: "two conditions of \(axis.name) hold for \(cell.text)")
      }
      guard let index = fitting.first else {
        result.append(cell)
        continue
      }
      applied.insert(index)
      result += axis.branches[index].values.map { cell.with(axis.name, $0) }
      try requireLimit(result.count)
    }
    for index in axis.branches.indices where !applied.contains(index) {
      let branch = axis.branches[index]
      let shown = branch.when.map { "\($0.name)=\($0.values.joined(separator: ","))" }
      throw .syntax(
        place: axis.place,
        problem: "the condition \(shown.joined(separator: " & ")) of \(axis.name) never holds")
    }
    try replace(result)
  }

  private mutating func note(
    _ name: String, _ values: [String], place: String, isRow: Bool
  ) throws(SweepError) {
    if let known = axes.firstIndex(where: { $0.name == name }) {
      guard isRow else {
        throw .syntax(place: place, problem: "\(name) is varied twice")
      }
      axes[known].values += values.filter { !axes[known].values.contains($0) }
    } else {
      axes.append((name, values))
    }
  }

  private mutating func exclude(_ excludes: [[Axis.Condition]]) throws(SweepError) {
    for conditions in excludes {
      let left = cells.filter { cell in !conditions.allSatisfy { $0.holds(cell[$0.name]) } }
      if left.count == cells.count {
        let shown = conditions.map { "\($0.name)=\($0.values.joined(separator: ","))" }
        throw .syntax(
          place: "exclude", problem: "no point is \(shown.joined(separator: " & "))")
      }
      cells = left
    }
    if cells.isEmpty { throw .syntax(place: "exclude", problem: "every point is excluded") }
  }

  private mutating func replace(_ fresh: [Cell]) throws(SweepError) {
    try requireLimit(fresh.count)
    cells = fresh
  }

  private func requireLimit(_ count: Int) throws(SweepError) {
    if count > Self.limit { throw .tooManyPoints(count: count, limit: Self.limit) }
  }

  /// The values of all axes that are no replicates; "recipe" where every axis is one.
  public func arm(_ cell: Cell) -> String {
    let parts = cell.values.filter { !replicates.contains($0.key) }
    return parts.isEmpty ? "recipe" : Cell(values: parts).text
  }
}

extension Grid.Cell {
  func with(_ name: String, _ value: String) -> Grid.Cell {
    Grid.Cell(values: values + [.init(key: name, value: value)])
  }
}
