import SparText

/// Columns under names of one's own: `prompt=question`.
public struct ColumnMapping: Equatable, Sendable {
  public struct Problem: Error, Equatable, CustomStringConvertible {
    public var description: String
  }

  private struct Rename: Equatable, Sendable {
    var name: String
    var source: String
  }

  private var renames: [Rename] = []

  public init() {}

  public var isEmpty: Bool { renames.isEmpty }

  /// Names that mean something.
  static let known = [
    "prompt", "messages", "chosen", "rejected", "completion", "label", "text", "system", "id",
    "index", "prompt_ids", "chosen_ids", "rejected_ids", "completion_ids", "conversations",
    "instruction", "input", "output", "question", "history", "probability", "rm_scores",
    "chosen_probs", "chosen_probs_win", "chosen_probs_lose", "ref_chosen_logps",
    "ref_rejected_logps",
  ]

  /// Reads `NAME=COLUMN`, several separated by commas or spaces.
  public init(_ texts: [String]) throws(Problem) {
    for text in texts.flatMap({ $0.split { $0 == "," || $0 == " " } }) {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw Problem(description: "\"\(text)\" does not map a column; write prompt=question")
      }
      let name = String(parts[0])
      guard Self.known.contains(name) else {
        let close = NearestName.of(name, among: Self.known).map { " (nearest: \($0))" } ?? ""
        throw Problem(
          description: "no column is called \(name)\(close); known are "
            + Self.known.joined(separator: ", "))
      }
      guard !renames.contains(where: { $0.name == name }) else {
        throw Problem(description: "\(name) is mapped twice")
      }
      renames.append(Rename(name: name, source: String(parts[1])))
    }
  }

  /// The row under the new names; a column that had one of them before is gone.
  func apply(_ row: DataRow) throws(DataError) -> DataRow {
    guard !renames.isEmpty else { return row }
    for rename in renames where !row.has(rename.source) {
      throw row.error(
        "there is no column \(rename.source) to take \(rename.name) from",
        cure: "the columns are \(row.columns.map(\.key).joined(separator: ", "))")
    }
    var result = row
    let taken = Set(renames.map(\.name)).subtracting(renames.map(\.source))
    result.columns = row.columns.compactMap { member in
      if let rename = renames.first(where: { $0.source == member.key }) {
        return JSONMember(key: rename.name, value: member.value)
      }
      return taken.contains(member.key) ? nil : member
    }
    return result
  }
}
