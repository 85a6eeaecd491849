import CSparPlugin

extension TextModelGroup {
  /// What a plugin asks for, copied and checked: ids below `vocabulary`, rows within their ids.
  init(_ c: spar_tm_group, vocabulary: Int) throws {
    guard c.n >= 0, c.n == 0 || c.sequences != nil else {
      throw TextModelArgumentError(what: "\(c.n) sequences", limit: 0)
    }
    let sequences = UnsafeBufferPointer(start: c.sequences, count: Int(c.n))
    self.init(
      prefix: try TextModelRows(c.prefix, vocabulary: vocabulary),
      sequences: try sequences.map { try TextModelRows($0, vocabulary: vocabulary) })
  }
}

extension TextModelRows {
  init(_ c: spar_tm_rows, vocabulary: Int) throws {
    guard c.n_ids >= 0, c.n_rows >= 0, c.n_rows == 0 || c.hidden != nil else {
      throw TextModelArgumentError(what: "\(c.n_rows) rows", limit: Int(c.n_ids))
    }
    let ids = UnsafeBufferPointer(start: c.ids, count: Int(c.n_ids))
    if let id = ids.first(where: { !(0..<vocabulary ~= Int($0)) }) {
      throw TextModelArgumentError(what: "token id \(id)", limit: vocabulary)
    }
    let rows = UnsafeBufferPointer(start: c.rows, count: Int(c.n_rows))
    if let row = rows.first(where: { !(0..<c.n_ids ~= $0) }) {
      throw TextModelArgumentError(what: "row \(row)", limit: ids.count)
    }
    self.init(ids: Array(ids), rows: rows.map { Int($0) })
  }
}

/// A plugin's mistake.
struct TextModelArgumentError: Error, CustomStringConvertible {
  var what: String
  var limit: Int

  var description: String {
    "\(SPAR_TEXT_MODEL_EXT): \(what) of \(limit) is asked for; the plugin is wrong"
  }
}
