import ArgumentParser
import SparData
import SparText

struct DataInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show form, columns, counts and an example of data.")

  @Argument(help: "A file, a folder, a pattern or a mixture.", completion: .file())
  var data: String

  @OptionGroup var options: DataOptions

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  private struct Column: Encodable {
    var name: String
    var type: String
    var nulls: Int
  }

  /// A row with bytes that are not UTF-8, by the file and the row.
  private static func brokenText(_ row: DataRow) -> String {
    "\(row.place.path), \(row.place): \(FindingKind.invalidUTF8.meaning)"
  }

  private struct Result: Encodable {
    var form: String
    var meaning: String
    var rows: Int
    var sources: [MixtureReader.Count]
    var columns: [Column]
    var example: String
  }

  func run() throws {
    let reader = try options.openReaders([data])[0]
    var columns: [Column] = []
    var first: DataRow?
    var form: DataForm?
    var rows = 0
    var broken: String?
    while let (row, found) = try reader.nextWithForm() {
      rows += 1
      if row.hasBrokenText, broken == nil { broken = Self.brokenText(row) }
      if first == nil { (first, form) = (row, found) }
      for member in row.columns {
        let place = columns.firstIndex { $0.name == member.key } ?? columns.count
        if place == columns.count {
          columns.append(Column(name: member.key, type: "null", nulls: rows - 1))
        }
        if member.value.isNull {
          columns[place].nulls += 1
        } else if columns[place].type == "null" {
          columns[place].type = Self.type(member.value)
        }
      }
    }
    guard let first, let form else {
      throw DataError(path: data, what: "there is no row", cure: "name data that have some")
    }
    let result = Result(
      form: form.rawValue, meaning: form.columns, rows: rows, sources: reader.counts,
      columns: columns, example: JSONWriter.text(.object(first.columns)))
    if let broken { Terminal.error("spar: warning: \(broken)") }
    guard !json else { return try Terminal.json(result) }
    try Terminal.line("form     \(result.form): \(result.meaning)")
    try Terminal.line("rows     \(rows)")
    for source in reader.counts {
      let part = source.of.map { " of \($0)" } ?? ""
      try Terminal.line("source   \(source.path): \(source.rows)\(part) rows, \(source.form)")
    }
    for line in Terminal.columns(
      columns.map { ["column", $0.name, $0.type, $0.nulls > 0 ? "\($0.nulls) nulls" : ""] })
    {
      try Terminal.line(line)
    }
    try Terminal.line("example  " + Self.shortened(.object(first.columns)))
  }

  private static func type(_ value: JSONNode) -> String {
    switch value {
    case .null: "null"
    case .boolean: "true|false"
    case .integer: "integer"
    case .number: "number"
    case .string: "text"
    case .array(let elements):
      elements.first { !$0.isNull }.map { "list of " + type($0) } ?? "list"
    case .object(let members): "(" + members.map(\.key).joined(separator: ", ") + ")"
    }
  }

  /// On one line, long texts cut.
  private static func shortened(_ value: JSONNode) -> String {
    func short(_ node: JSONNode) -> JSONNode {
      switch node {
      case .string(let text):
        .string(text.count > 60 ? text.prefix(60) + "…" : text)
      case .array(let elements):
        .array(elements.prefix(8).map(short))
      case .object(let members):
        .object(members.map { JSONMember(key: $0.key, value: short($0.value)) })
      default: node
      }
    }
    return JSONWriter.text(short(value))
  }
}
