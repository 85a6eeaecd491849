/// A line of a ranking's journal.  Doubles survive JSON exactly: they are written in the shortest form
/// that reads back as the same number.
struct RankingJournalLine: Codable {
  var rows: [Int]
  var native: [[Double]]
  /// Cells and answers of each row, where there are any.
  var failed: [[Int]]?
  var truncated: [[Int]]?
  var components: [[[Double]]]?

  init(_ rows: [Int], _ tables: [AnswerTable]) {
    self.rows = rows
    native = tables.map(\.values)
    func places(_ flags: (AnswerTable) -> [Bool]) -> [[Int]]? {
      guard tables.contains(where: { !flags($0).isEmpty }) else { return nil }
      return tables.map { table in flags(table).indices.filter { flags(table)[$0] } }
    }
    failed = places(\.failed)
    truncated = places(\.truncated)
    if tables.contains(where: { !$0.components.isEmpty }) { components = tables.map(\.components) }
  }

  /// The table of the line's row `place`; nil where it is damaged or does not fit K answers.
  func table(_ place: Int, k: Int) -> AnswerTable? {
    func isTable(_ values: [Double]) -> Bool {
      values.count == k * k && values.allSatisfy(\.isFinite)
    }
    func flags(_ places: [[Int]]?, count: Int) -> [Bool]? {
      guard let places else { return [] }
      guard places.indices.contains(place), places[place].allSatisfy((0..<count).contains) else {
        return nil
      }
      var flags = [Bool](repeating: false, count: count)
      for index in places[place] { flags[index] = true }
      return flags
    }
    guard native.indices.contains(place), isTable(native[place]),
      let failed = flags(failed, count: k * k), let truncated = flags(truncated, count: k)
    else { return nil }
    guard let components else {
      return AnswerTable(native[place], failed: failed, truncated: truncated)
    }
    guard components.indices.contains(place), components[place].allSatisfy(isTable) else {
      return nil
    }
    return AnswerTable(
      native[place], failed: failed, truncated: truncated, components: components[place])
  }
}
