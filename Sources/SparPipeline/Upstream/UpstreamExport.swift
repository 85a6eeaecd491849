import Foundation
import SparData
import SparPreference
import SparStore
import SparText

/// Writes candidates and their ranking as the files of the published pipeline.
///
///     generated/NAME/responses_{p}.json                 p < K
///     ranking/NAME/0_0.npy, 0_0_table.npy               S and M, one shard
///     generated/NAME/probabilities.json, train.parquet  of the rule upstream-score, else with _table
///     synthetic_data_<NAME without its first field>_score/train.parquet
///
/// The last has a row for every prompt with a pair.  Its twin test.parquet, 500 training rows drawn
/// without a seed, is not written: nothing reads it.
public struct UpstreamExport {
  /// The folder that the published scripts run in.
  public var folder: String
  /// What they call OUT: "data-mistral-7b-instruct-sppo-iter1".
  public var name: String
  /// Log-odds W in the place of probabilities, as for GPO.
  public var writesLogOdds = false

  public init(folder: String, name: String) {
    self.folder = folder
    self.name = name
  }

  /// The files that were written, relative to the folder.
  public func write(candidates path: String, preferences: String?) throws -> [String] {
    let candidates = try CandidatesFile.read(path).table
    guard let preferences else { return try writeAnswers(candidates) }
    let (table, attributes, _) = try PairDerivation.read(
      preferences: preferences, candidates: path)
    guard table.failed.isEmpty else {
      throw DataError(
        path: preferences, what: "some pairs could not be compared, which these files cannot say",
        cure: "rank again, or export the answers alone")
    }
    return try writeAnswers(candidates) + writeScores(table, attributes)
      + writeTables(candidates, table, attributes) + [writePairs(candidates, table)]
  }

  private func writeAnswers(_ candidates: CandidateTable) throws -> [String] {
    try (0..<candidates.K).map { p in
      let texts = candidates.rows.map { JSONNode.string($0.answers[p].text) }
      return try write("generated/\(name)/responses_\(p).json", .array(texts))
    }
  }

  private func write(_ file: String, _ node: JSONNode) throws -> String {
    let path = try path(file)
    try AtomicFile.writeBytes(to: path, doing: "writing") { try $0.write(JSONWriter.text(node)) }
    return file
  }

  private func path(_ file: String) throws -> String {
    let path = "\(folder)/\(file)"
    try RunDirectory.create((path as NSString).deletingLastPathComponent)
    return path
  }

  private func writeScores(
    _ table: PreferenceTable, _ attributes: [String: AttributeValue]
  ) throws -> [String] {
    let (n, k) = (table.count, table.K)
    var files = ["ranking/\(name)/0_0.npy"]
    try NPYArray(shape: [n, k], values: table.score).write(to: path(files[0]))
    if attributes.text("ranker_gives") != PairDerivation.scoresOnly {
      files.append("ranking/\(name)/0_0_table.npy")
      try NPYArray(shape: [n, k, k], values: table.raw).write(to: path(files[1]))
    }
    return files
  }

  private func writeTables(
    _ candidates: CandidateTable, _ table: PreferenceTable, _ attributes: [String: AttributeValue]
  ) throws -> [String] {
    let isOfScores = attributes.text("probability_rule") == ProbabilityRule.upstreamScore.rawValue
    let suffix = isOfScores ? "" : "_table"
    let tables = (0..<table.count).map { matrix(table, $0) }
    let json = try write("generated/\(name)/probabilities\(suffix).json", .array(tables))
    let file = "generated/\(name)/train\(suffix).parquet"
    let writer = try ParquetWriter(path(file))
    for (row, group) in candidates.rows.enumerated() {
      var columns = try promptColumns(group)
      for (p, answer) in group.answers.enumerated() {
        columns.append(JSONMember(key: "generate_\(p)", value: conversation(group, answer)))
      }
      columns.append(JSONMember(key: "probability", value: tables[row]))
      let scores = (0..<table.K).map { JSONNode.number(table.score[row * table.K + $0]) }
      columns.append(JSONMember(key: "rm_scores", value: .array(scores)))
      try writer.add(DataRow(columns: columns, place: place(file, row)))
    }
    try writer.finish()
    return [json, file]
  }

  /// P or W of one prompt.
  private func matrix(_ table: PreferenceTable, _ row: Int) -> JSONNode {
    let (k, values) = (table.K, writesLogOdds ? table.logOdds : table.winProbability)
    return .array(
      (0..<k).map { i in .array((0..<k).map { .number(values[(row * k + i) * k + $0]) }) })
  }

  private func writePairs(_ candidates: CandidateTable, _ table: PreferenceTable) throws -> String {
    // As the scripts cut it: the name's first field goes.
    let fields = name.split(separator: "-", omittingEmptySubsequences: false).dropFirst()
    let rest = fields.isEmpty ? name : fields.joined(separator: "-")
    let file = "synthetic_data_\(rest)_score/train.parquet"
    let (cells, means) =
      writesLogOdds
      ? (table.logOdds, table.meanScore) : (table.winProbability, table.rowMean)
    let writer = try ParquetWriter(path(file))
    for (row, group) in candidates.rows.enumerated() where table.status[row] == .kept {
      let (w, l) = (table.chosen[row], table.rejected[row])
      let numbers = [
        ("chosen_probs", cells[(row * table.K + w) * table.K + l]),
        ("chosen_probs_win", means[row * table.K + w]),
        ("chosen_probs_lose", means[row * table.K + l]),
      ]
      let columns =
        [
          JSONMember(key: "chosen", value: conversation(group, group.answers[w])),
          JSONMember(key: "rejected", value: conversation(group, group.answers[l])),
        ] + numbers.map { JSONMember(key: $0.0, value: .number($0.1)) }
      try writer.add(DataRow(columns: columns, place: place(file, row)))
    }
    try writer.finish()
    return file
  }

  private func place(_ file: String, _ row: Int) -> RowPlace {
    RowPlace(path: file, number: row + 1, unit: .row)
  }

  /// The columns of the prompt set.
  private func promptColumns(_ group: CandidateGroup) throws -> [JSONMember] {
    if let row = group.row, let members = try JSONParser.parse(Data(row.utf8)).members {
      return members
    }
    let id = JSONMember(key: "prompt_id", value: .string(group.promptID))
    if group.messages.count == 1, group.messages[0].role == "user" {
      return [id, JSONMember(key: "prompt", value: .string(group.messages[0].content))]
    }
    return [id, JSONMember(key: "prompt", value: .array(group.messages.map(message)))]
  }

  private func conversation(_ group: CandidateGroup, _ answer: CandidateAnswer) -> JSONNode {
    let last = CandidateGroup.Message(role: "assistant", content: answer.text)
    return .array((group.messages + [last]).map(message))
  }

  private func message(_ message: CandidateGroup.Message) -> JSONNode {
    .object([
      JSONMember(key: "content", value: .string(message.content)),
      JSONMember(key: "role", value: .string(message.role)),
    ])
  }
}
