import SparText

/// A row as training, generation and scoring understand it.
public struct Example: Equatable, Sendable {
  public enum Prompt: Equatable, Sendable {
    /// Tokenised as it stands.
    case text(String)
    /// Through the model's chat template.
    case messages([ChatMessage])
    /// Taken as they are.
    case ids([Int32])
  }

  public enum Answer: Equatable, Sendable {
    case text(String)
    case ids([Int32])
  }

  public var prompt: Prompt
  /// Chosen and rejected; or the completion; or all candidates; or none.
  public var answers: [Answer]

  public init(prompt: Prompt, answers: [Answer]) {
    self.prompt = prompt
    self.answers = answers
  }

  /// - Parameter row: with TRL's columns, as `FormReader` gives it.
  public init(_ row: DataRow, form: DataForm) throws(DataError) {
    let form = form.in(row)
    do throws(Conversation.Problem) {
      switch form {
      case .idPairs:
        prompt = .ids(try Self.ids(row, "prompt_ids"))
        answers = [.ids(try Self.ids(row, "chosen_ids")), .ids(try Self.ids(row, "rejected_ids"))]
      case .ids:
        prompt = .ids(try Self.ids(row, "prompt_ids"))
        answers = row["completion_ids"] == nil ? [] : [.ids(try Self.ids(row, "completion_ids"))]
      case .candidates: (prompt, answers) = try Self.candidates(row)
      case .sharegptPairs, .alpacaPairs, .questionPairs, .pairs, .implicitPairs:
        (prompt, answers) = try Self.pair(row)
      case .conversations:
        // A text beside the messages names them only.
        prompt = .messages(try Conversation.messages(row["messages"], "messages"))
        answers = []
      case .unpaired, .completions, .sharegpt, .alpaca, .prompts, .text:
        (prompt, answers) = try Self.single(row)
      }
    } catch {
      throw row.error(error.text)
    }
  }

  private static func ids(_ row: DataRow, _ name: String) throws(Conversation.Problem) -> [Int32] {
    guard let values = row[name]?.array else {
      throw Conversation.Problem(text: "\(name) must be a list of token ids")
    }
    var ids: [Int32] = []
    ids.reserveCapacity(values.count)
    for value in values {
      guard let whole = value.integer else {
        throw Conversation.Problem(text: "\(name) must be a list of token ids")
      }
      guard let id = Int32(exactly: whole), id >= 0 else {
        throw Conversation.Problem(text: "\(name) holds \(whole), which is no token id")
      }
      ids.append(id)
    }
    return ids
  }

  /// One answer: its text and the turns before it, if it has any.
  private struct Side {
    var text: String
    var before: [ChatMessage] = []

    init(_ value: JSONNode?, _ name: String) throws(Conversation.Problem) {
      if let text = value?.string {
        self.text = text
        return
      }
      let messages = try Conversation.messages(value, name)
      guard let last = messages.last, last.role == "assistant" else {
        throw Conversation.Problem(text: "\(name) does not end with an assistant's message")
      }
      text = last.content
      before = messages.dropLast()
    }
  }

  private static func pair(
    _ row: DataRow
  ) throws(Conversation.Problem) -> (Prompt, [Answer]) {
    let chosen = try Side(row["chosen"], "chosen")
    let rejected = try Side(row["rejected"], "rejected")
    guard chosen.before == rejected.before else {
      throw Conversation.Problem(text: "chosen and rejected answer different conversations")
    }
    return (try prompt(row, before: chosen.before), [.text(chosen.text), .text(rejected.text)])
  }

  private static func candidates(
    _ row: DataRow
  ) throws(Conversation.Problem) -> (Prompt, [Answer]) {
    var sides: [Side] = []
    while row.has("generate_\(sides.count)") {
      let name = "generate_\(sides.count)"
      sides.append(try Side(row[name], name))
      guard sides[sides.count - 1].before == sides[0].before else {
        throw Conversation.Problem(text: "\(name) and generate_0 answer different conversations")
      }
    }
    guard let first = sides.first else { throw Conversation.Problem(text: "generate_0 is missing") }
    return (try prompt(row, before: first.before), sides.map { .text($0.text) })
  }

  private static func prompt(
    _ row: DataRow, before: [ChatMessage]
  ) throws(Conversation.Problem) -> Prompt {
    let given = row["prompt"] ?? row["messages"]
    if let given, given.string == nil {
      let messages = try Conversation.messages(given, "prompt")
      // Some data repeat the prompt inside the answers.
      guard before.isEmpty || before == messages else {
        throw Conversation.Problem(
          text: "the answers' conversation does not begin with the prompt")
      }
      return .messages(messages)
    }
    if !before.isEmpty { return .messages(before) }
    guard let text = given?.string else {
      throw Conversation.Problem(
        text: "prompt is missing; it must be a text or a list of messages")
    }
    return .text(text)
  }

  private static func single(
    _ row: DataRow
  ) throws(Conversation.Problem) -> (Prompt, [Answer]) {
    if let ids = row["completion_ids"], ids.array != nil {
      return (try prompt(row, before: []), [.ids(try self.ids(row, "completion_ids"))])
    }
    if row.has("completion") {
      let side = try Side(row["completion"], "completion")
      return (try prompt(row, before: side.before), [.text(side.text)])
    }
    if let text = row["text"]?.string, !row.has("prompt"), !row.has("messages") {
      return (.text(text), [])
    }
    return (try prompt(row, before: []), [])
  }
}
