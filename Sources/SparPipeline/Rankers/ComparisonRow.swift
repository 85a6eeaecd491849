import SparData
import SparEvaluation
import SparText

/// A row of a data file as two answers to one conversation.
public struct ComparisonRow {
  public var row: DataRow
  public var messages: [ChatMessage]
  public var chosen: String
  public var rejected: String
  /// That the chosen one is the better: `chosen_probs`, else 1.
  public var probability: Double
  /// By how much the chosen one is the better: `margin`, else 0.
  public var margin: Double

  /// A prompt that is text becomes the user's message.
  public init(_ row: DataRow, form: DataForm) throws {
    guard form.hasPairs, form != .candidates, form != .idPairs else {
      throw row.error(
        "its columns are of the form \(form.rawValue), which holds no comparison of two texts",
        cure: "give prompt, chosen and rejected")
    }
    let example = try Example(row, form: form)
    guard case .text(let chosen) = example.answers[0],
      case .text(let rejected) = example.answers[1]
    else { throw row.error("chosen and rejected must be texts") }
    switch example.prompt {
    case .messages(let messages): self.messages = messages
    case .text(let text): messages = [ChatMessage(role: "user", content: text)]
    case .ids: throw row.error("prompt must be a text or messages")
    }
    probability = try row.number("chosen_probs", else: 1)
    guard (0...1).contains(probability) else {
      throw row.error("chosen_probs is \(probability)", cure: "a probability is from 0 to 1")
    }
    margin = try row.number("margin", else: 0)
    self.row = row
    self.chosen = chosen
    self.rejected = rejected
  }

  /// As the diagnostics of rankers take it.
  public var labelled: LabelledComparison {
    LabelledComparison(
      name: row["id"]?.string ?? "\(row.place)", subset: row["subset"]?.string ?? "",
      messages: messages.map { (role: $0.role, content: $0.content) }, chosen: chosen,
      rejected: rejected, probability: probability)
  }

  /// All rows of some data.
  public static func read(_ data: String) throws -> [ComparisonRow] {
    let reader = MixtureReader(try DataMixture(data))
    var rows: [ComparisonRow] = []
    while let (row, form) = try reader.nextWithForm() {
      rows.append(try ComparisonRow(row, form: form))
    }
    return rows
  }
}

extension DataRow {
  /// A column that may be absent, but is no text.
  fileprivate func number(_ name: String, else absent: Double) throws -> Double {
    guard let value = self[name] else { return absent }
    guard let number = value.double, number.isFinite else {
      throw error("\(name) is no number", cure: "give a number, or leave the column out")
    }
    return number
  }
}
