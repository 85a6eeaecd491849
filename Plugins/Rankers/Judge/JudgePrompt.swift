import Foundation
import SparPluginKit

/// What the judge is asked: a text with the places {prompt}, {a} and {b}.
struct JudgePrompt {
  private let template: String

  static let standard = """
    You compare two answers to the same request. Say which one serves the person better: it should \
    be correct, do what was asked, and be clear. Length alone is no merit.

    [Request]
    {prompt}

    [Answer A]
    {a}

    [Answer B]
    {b}

    Which answer is better? Reply with one letter, A or B, and nothing else.
    """

  private static let places = ["{prompt}", "{a}", "{b}"]

  /// - Parameter path: empty = `standard`.
  init(path: String) throws {
    guard !path.isEmpty else {
      template = Self.standard
      return
    }
    do {
      template = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw PluginFailure("cannot read prompt-file \(path): \(error.localizedDescription)")
    }
    for place in Self.places where !template.contains(place) {
      throw PluginFailure("prompt-file \(path) has no \(place); it needs {prompt}, {a} and {b}")
    }
  }

  /// In one pass, so that an answer that spells a place stays as it is.
  func text(_ messages: [Message], _ a: String, _ b: String) -> String {
    let values = ["{prompt}": Self.conversation(messages), "{a}": a, "{b}": b]
    var out = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{") {
      out += rest[..<open]
      rest = rest[open...]
      if let place = Self.places.first(where: rest.hasPrefix) {
        out += values[place] ?? ""
        rest = rest.dropFirst(place.count)
      } else {
        out += "{"
        rest = rest.dropFirst()
      }
    }
    return out + rest
  }

  /// A single message as it is; several with their roles.
  private static func conversation(_ messages: [Message]) -> String {
    messages.count == 1
      ? messages[0].content
      : messages.map { "\($0.role): \($0.content)" }.joined(separator: "\n\n")
  }
}
