import SparPluginKit

/// Compares answers by a rule that says how right each one is, between 0 and 1.
///
/// What the rule needs of the prompt stands in the prompt's row; a prompt without it is an error,
/// since to call every answer wrong would be a guess.
final class Verifier: Ranker {
  private let rule: any AnswerRule
  private let scale: Double
  /// Options that do not belong together: told when there is work, since `create` takes every choice.
  private let misuse: PluginFailure?

  init(rule: any AnswerRule, scale: Double, misuse: PluginFailure? = nil) {
    self.rule = rule
    self.scale = scale
    self.misuse = misuse
  }

  func rank(_ queries: [Query]) throws {
    if let misuse { throw misuse }
    for query in queries {
      let verdict = try rule.prepared(for: query)
      query.write(scores: query.responses.map(verdict), scale: scale)
    }
  }
}

/// How right answers are.
protocol AnswerRule {
  /// A function from an answer to its score in 0…1, for one prompt.
  func prepared(for query: Query) throws -> (String) -> Double
}

extension Query {
  /// A column of the prompt's row.
  func column(_ name: String) throws -> JSONValue {
    guard let row else {
      throw PluginFailure(
        "the prompt \(brief) has no row with column \(name); give the prompts such a column in "
          + "their file and generate again")
    }
    let object: JSONValue
    do {
      object = try JSONValue(parsing: row)
    } catch {
      throw PluginFailure("the row of prompt \(brief) is no JSON: \(error)")
    }
    guard let value = object[name], value != .null else {
      throw PluginFailure(
        "the row of prompt \(brief) has no column \(name); name the right one with the option column"
      )
    }
    return value
  }

  /// The beginning of the last message, for errors.
  var brief: String {
    let text = messages.last?.content ?? ""
    return "\"\(text.prefix(40))\(text.count > 40 ? "…" : "")\""
  }
}

/// An answer contains a match of a pattern, or is one as a whole.
struct PatternRule: AnswerRule {
  private let pattern: Regex<AnyRegexOutput>
  private let isWhole: Bool

  init(_ text: String, isWhole: Bool) throws {
    do {
      pattern = try Regex(text)
    } catch {
      throw PluginFailure("option pattern \"\(text)\" is no regular expression: \(error)")
    }
    self.isWhole = isWhole
  }

  func prepared(for query: Query) -> (String) -> Double {
    { answer in
      let found = isWhole ? answer.wholeMatch(of: pattern) : answer.firstMatch(of: pattern)
      return found == nil ? 0 : 1
    }
  }
}

/// The answer is one JSON value, alone or as the only fenced block.
struct JSONRule: AnswerRule {
  func prepared(for query: Query) -> (String) -> Double { { isJSON($0) ? 1 : 0 } }

  func isJSON(_ answer: String) -> Bool {
    do throws(JSONTextError) {
      _ = try JSONValue(parsing: Self.content(answer))
      return true
    } catch {
      return false
    }
  }

  /// Without the fence ```json … ``` around it.
  static func content(_ answer: String) -> String {
    let text = answer.trimmed
    guard text.hasPrefix("```"), text.hasSuffix("```"), text.count >= 6 else { return text }
    let inside = text.dropFirst(3).dropLast(3)
    guard let line = inside.firstIndex(where: \.isNewline) else { return String(inside).trimmed }
    return String(inside[line...]).trimmed
  }
}

extension String {
  /// Without white space at both ends.
  var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
