import SparText

// Rows of other projects' forms as rows of TRL's: prompt, chosen, rejected, completion, messages.
extension DataForm {
  /// The row with TRL's columns; rows that have them already stay as they are.
  func canonical(_ row: DataRow) throws(DataError) -> DataRow {
    for name in ["tools", "images", "image"] {
      if let value = row[name], value.array?.isEmpty != true, value.string?.isEmpty != true {
        throw row.error(
          "column \(name) is not supported", cure: "remove it, and the rows that need it")
      }
    }
    do throws(Conversation.Problem) {
      switch self {
      case .sharegpt, .sharegptPairs: return try sharegpt(row)
      case .alpaca, .alpacaPairs: return try alpaca(row)
      case .questionPairs: return try question(row)
      default: return row
      }
    } catch {
      throw row.error(error.text)
    }
  }

  private static let consumed: Set<String> = [
    "conversations", "instruction", "input", "output", "history", "question", "system", "chosen",
    "rejected", "prompt", "completion",
  ]

  private func rebuilt(
    _ row: DataRow, prompt: [ChatMessage], answers: [(String, JSONNode)]
  ) -> DataRow {
    var result = row
    result.columns = [JSONMember(key: "prompt", value: Conversation.node(prompt))]
    result.columns += answers.map { JSONMember(key: $0.0, value: $0.1) }
    result.columns += row.columns.filter { !Self.consumed.contains($0.key) }
    return result
  }

  /// A system message where the row has one.
  private func system(_ row: DataRow) -> [ChatMessage] {
    guard let text = row["system"]?.string, !text.isEmpty else { return [] }
    return [ChatMessage(role: "system", content: text)]
  }

  private func sharegpt(_ row: DataRow) throws(Conversation.Problem) -> DataRow {
    guard let turns = row["conversations"]?.array, !turns.isEmpty else {
      throw Conversation.Problem(text: "conversations must be a list of turns")
    }
    var messages = system(row)
    for turn in turns { messages.append(try Conversation.sharegptTurn(turn, "conversations")) }
    if self == .sharegptPairs {
      return rebuilt(
        row, prompt: messages,
        answers: [
          ("chosen", try answer(row["chosen"], "chosen")),
          ("rejected", try answer(row["rejected"], "rejected")),
        ])
    }
    guard let last = messages.last, last.role == "assistant" else {
      return rebuilt(row, prompt: messages, answers: [])
    }
    return rebuilt(
      row, prompt: messages.dropLast(), answers: [("completion", .string(last.content))])
  }

  /// A text or a turn.
  private func answer(_ value: JSONNode?, _ name: String) throws(Conversation.Problem) -> JSONNode {
    guard let value else { throw Conversation.Problem(text: "\(name) is missing") }
    if value.string != nil { return value }
    let turn = value.array.flatMap { $0.count == 1 ? $0[0] : nil } ?? value
    return .string(try Conversation.sharegptTurn(turn, name).content)
  }

  /// The user says the instruction and, on a line of its own, the input.
  private func alpaca(_ row: DataRow) throws(Conversation.Problem) -> DataRow {
    guard let instruction = row["instruction"]?.string else {
      throw Conversation.Problem(text: "instruction must be a text")
    }
    var messages = system(row)
    for turn in row["history"]?.array ?? [] {
      guard let pair = turn.array, pair.count == 2, let asked = pair[0].string,
        let said = pair[1].string
      else { throw Conversation.Problem(text: "history must be a list of [question, answer]") }
      messages.append(ChatMessage(role: "user", content: asked))
      messages.append(ChatMessage(role: "assistant", content: said))
    }
    let input = row["input"]?.string ?? ""
    messages.append(
      ChatMessage(
        role: "user", content: input.isEmpty ? instruction : "\(instruction)\n\(input)"))
    if self == .alpacaPairs {
      return rebuilt(
        row, prompt: messages,
        answers: [("chosen", row["chosen"] ?? .null), ("rejected", row["rejected"] ?? .null)])
    }
    return rebuilt(row, prompt: messages, answers: [("completion", row["output"] ?? .null)])
  }

  private func question(_ row: DataRow) throws(Conversation.Problem) -> DataRow {
    guard let question = row["question"]?.string else {
      throw Conversation.Problem(text: "question must be a text")
    }
    return rebuilt(
      row, prompt: system(row) + [ChatMessage(role: "user", content: question)],
      answers: [("chosen", row["chosen"] ?? .null), ("rejected", row["rejected"] ?? .null)])
  }
}

/// Rows with TRL's columns, whatever form the files have.
public final class FormReader: RowReader {
  private let rows: any RowReader
  private let mapping: ColumnMapping
  private let isCanonical: Bool
  /// As the first row showed it; nil before it was read.
  public private(set) var form: DataForm?
  /// Columns of the first row, after mapping.
  public private(set) var columns: [String] = []

  /// - Parameter isCanonical: false detects the form only.
  public init(
    _ rows: any RowReader, mapping: ColumnMapping = ColumnMapping(), isCanonical: Bool = true
  ) {
    self.rows = rows
    self.mapping = mapping
    self.isCanonical = isCanonical
  }

  public func next() throws(DataError) -> DataRow? {
    guard let raw = try rows.next() else { return nil }
    let row = try mapping.apply(raw)
    if form == nil {
      columns = row.columns.map(\.key)
      form = try DataForm.of(row)
    }
    guard isCanonical, let form else { return row }
    return try form.canonical(row)
  }
}
