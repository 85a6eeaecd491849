import Foundation
import SparPluginKit

/// What the judge is asked: a text with the places {prompt}, {a} and {b}, and those of the labels,
/// {label_a} and {label_b}.
struct JudgePrompt {
  private let template: String
  private let labels: [String]

  static let standard = """
    You compare two answers to the same request. Say which one serves the person better: it should \
    be correct, do what was asked, and be clear. Length alone is no merit.

    [Request]
    {prompt}

    [Answer {label_a}]
    {a}

    [Answer {label_b}]
    {b}

    Which answer is better? Reply with {label_a} or {label_b} and nothing else.
    """

  private static let needed = ["{prompt}", "{a}", "{b}"]
  private static let labelPlaces = ["{label_a}", "{label_b}"]

  /// - Parameters:
  ///   - path: empty = `standard`.
  ///   - labels: of the first answer and of the second; a judge that is not told them cannot use them.
  init(path: String, labels: [String]) throws {
    self.labels = labels
    guard !path.isEmpty else {
      template = Self.standard
      return
    }
    do {
      template = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw PluginFailure("cannot read prompt-file \(path): \(error.localizedDescription)")
    }
    for place in Self.needed where !template.contains(place) {
      throw PluginFailure("prompt-file \(path) has no \(place); it needs {prompt}, {a} and {b}")
    }
    for (place, label) in zip(Self.labelPlaces, labels) where !asks(for: label, place) {
      throw PluginFailure(
        "prompt-file \(path) does not ask for the label \"\(label)\"; write it or \(place) there, "
          + "or give the word that it asks for as label-\(place == "{label_a}" ? "a" : "b")")
    }
  }

  /// Whether the template names a label, as a word where it is one.
  private func asks(for label: String, _ place: String) -> Bool {
    if template.contains(place) { return true }
    let own = Self.needed.reduce(template) { $0.replacing($1, with: " ") }
    let word = label.trimmingCharacters(in: .whitespacesAndNewlines)
    let words = own.split { !$0.isLetter && !$0.isNumber }
    return words.contains(Substring(word))
      || (word.contains { !$0.isLetter && !$0.isNumber } && own.contains(word))
  }

  /// In one pass, so that an answer that spells a place stays as it is.
  func text(_ messages: [Message], _ a: String, _ b: String) -> String {
    let values = [
      "{prompt}": Self.conversation(messages), "{a}": a, "{b}": b, "{label_a}": labels[0],
      "{label_b}": labels[1],
    ]
    var out = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{") {
      out += rest[..<open]
      rest = rest[open...]
      if let place = values.keys.first(where: rest.hasPrefix) {
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
