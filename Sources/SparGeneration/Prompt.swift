import Foundation
import SparText

/// One conversation to answer, with its place in the prompt file.
public struct Prompt: Equatable, Sendable {
  /// Row in the whole file, whatever the shard: names its random streams.
  public var index: Int
  public var id: String
  public var messages: [ChatMessage]

  public init(index: Int, id: String, messages: [ChatMessage]) {
    self.index = index
    self.id = id
    self.messages = messages
  }

  /// Reads a JSON-lines file with one `{"prompt": text}` or `{"messages": [...]}` a line; `id` is
  /// optional, and so is `index`, which names the random streams in place of the line's number.
  public static func read(_ path: String) throws -> [Prompt] {
    let content = try Data(contentsOf: URL(fileURLWithPath: path))
    var prompts: [Prompt] = []
    // Lines end at byte 0x0A alone: U+2028 and the like may stand inside a string.
    for (number, line) in content.split(separator: 0x0A, omittingEmptySubsequences: false)
      .enumerated()
    {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      prompts.append(try parse(line, path: path, line: number + 1, index: prompts.count))
    }
    return prompts
  }

  private static func parse(
    _ data: Data, path: String, line: Int, index: Int
  ) throws -> Prompt {
    let row: Row
    do {
      row = try JSONDecoder().decode(Row.self, from: data)
    } catch {
      throw GenerationError.promptLine(
        path: path, line: line, problem: "not a prompt: \(reason(error))")
    }
    let place = row.index ?? index
    let id = row.id?.text ?? "\(place)"
    if let messages = row.messages, !messages.isEmpty {
      return Prompt(index: place, id: id, messages: messages)
    }
    if let prompt = row.prompt {
      return Prompt(index: place, id: id, messages: [ChatMessage(role: "user", content: prompt)])
    }
    throw GenerationError.promptLine(
      path: path, line: line, problem: "neither \"prompt\" nor \"messages\"")
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.dataCorrupted: return "broken JSON"
    case DecodingError.typeMismatch(_, let context), DecodingError.keyNotFound(_, let context),
      DecodingError.valueNotFound(_, let context):
      let field = context.codingPath.map(\.stringValue).joined(separator: ".")
      return "\(field.isEmpty ? "" : "\(field): ")\(context.debugDescription)"
    default: return "\(error)"
    }
  }

  private struct Row: Decodable {
    var id: Identifier?
    var index: Int?
    var prompt: String?
    var messages: [ChatMessage]?
  }

  /// An id that people write as text or as a number.
  private struct Identifier: Decodable {
    var text: String
    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      do {
        text = try value.decode(String.self)
      } catch {
        text = "\(try value.decode(Int.self))"
      }
    }
  }
}
