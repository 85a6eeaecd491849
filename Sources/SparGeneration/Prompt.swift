import Foundation
import SparData
import SparText

/// One conversation to answer, with its place in the prompt file.
public struct Prompt: Equatable, Sendable {
  /// Row in the whole file, whatever the shard: names its random streams.
  public var index: Int
  public var id: String
  public var messages: [ChatMessage]
  /// The prompt itself, in place of messages, where the data give ids.
  public var ids: [Int32]?
  /// The whole row as JSON, where it has further columns: rankers such as `verifier` read them.
  /// NaN, which stands for a missing number, is null there.
  public var row: String?

  public init(
    index: Int, id: String, messages: [ChatMessage], ids: [Int32]? = nil, row: String? = nil
  ) {
    self.index = index
    self.id = id
    self.messages = messages
    self.ids = ids
    self.row = row
  }

  /// Reads prompts of any form that has them (docs/data.md); answers in the rows are not looked at.
  ///
  /// - Parameter data: a file, a folder, a pattern or a mixture.  `id` is optional, and so is
  ///   `index`, which names the random streams in place of the row's number; no two are equal.
  public static func read(
    _ data: String, mapping: ColumnMapping = ColumnMapping()
  ) throws -> [Prompt] {
    let reader = MixtureReader(try DataMixture(data), mapping: mapping)
    var prompts: [Prompt] = []
    var places: [Int: RowPlace] = [:]
    do throws(DataError) {
      while let (row, form) = try reader.nextWithForm() {
        let prompt = try Prompt(row, form: form, count: prompts.count)
        // Answers find their prompts by it, and two prompts would draw from the same streams.
        if let other = places.updateValue(row.place, forKey: prompt.index) {
          throw row.error(
            "index \(prompt.index) is that of \(other.path), \(other), too",
            cure: "leave the column index out, and rows are numbered, or number all rows in one go")
        }
        prompts.append(prompt)
      }
    } catch {
      guard let row = error.row else { throw error }
      throw GenerationError.promptLine(
        path: row.path, line: row.number, problem: error.problem)
    }
    return prompts
  }

  private static let ownColumns: Set = [
    "id", "prompt_id", "index", "prompt", "messages", "prompt_ids",
  ]

  /// The row, where it has columns that are not the prompt's own.
  private static func furtherColumns(_ row: DataRow) throws(DataError) -> String? {
    guard row.columns.contains(where: { !ownColumns.contains($0.key) }) else { return nil }
    let columns = row.columns.map { JSONMember(key: $0.key, value: $0.value.withoutNaN) }
    if let name = columns.first(where: { !$0.value.isFinite })?.key {
      throw row.error(
        "column \(name) holds a number beyond what 64 bits hold, which JSON cannot say",
        cure: "write it as a text, or null where there is none")
    }
    return JSONWriter.text(.object(columns))
  }

  /// - Parameter count: of the prompts before it.
  private init(_ row: DataRow, form: DataForm, count: Int) throws(DataError) {
    guard form != .text else {
      throw row.error("neither \"prompt\" nor \"messages\"", cure: "map one: --column prompt=text")
    }
    var place = count
    if let index = row["index"] {
      guard let whole = index.integer ?? index.double.flatMap({ Int(exactly: $0) }) else {
        throw row.error("index must be a whole number")
      }
      place = whole
    }
    var name = "\(place)"
    if let id = row["id"] ?? row["prompt_id"] {
      guard let text = id.string ?? id.integer.map({ "\($0)" }) else {
        throw row.error("id must be a text or a whole number")
      }
      name = text
    }
    self.init(
      index: place, id: name, messages: [],
      row: try Self.furtherColumns(row))
    switch try Example(row, form: form).prompt {
    case .messages(let messages): self.messages = messages
    case .text(let text): messages = [ChatMessage(role: "user", content: text)]
    case .ids(let ids): self.ids = ids
    }
  }
}
