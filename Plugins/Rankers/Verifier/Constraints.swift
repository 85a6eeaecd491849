import SparPluginKit

/// The share of the prompt's verifiable instructions that an answer follows.
///
/// The row's column holds them as IFEval's data do: `instruction_id_list` names them and `kwargs`
/// has one object for each.  Source: Zhou et al. 2023, arXiv:2311.07911; the strict variant.
struct ConstraintRule: AnswerRule {
  func prepared(for query: Query) throws -> (String) -> Double {
    guard let names = try query.column("instruction_id_list").array else {
      throw PluginFailure("instruction_id_list of prompt \(query.brief) is no list")
    }
    let arguments = try query.column("kwargs").array ?? []
    guard arguments.count == names.count, !names.isEmpty else {
      throw PluginFailure(
        "prompt \(query.brief) has \(names.count) instructions and \(arguments.count) kwargs")
    }
    let checks = try zip(names, arguments).map { name, arguments in
      try Constraint(name.string ?? "", arguments)
    }
    return { answer in
      let followed = checks.count { $0.isFollowed(by: answer) }
      return Double(followed) / Double(checks.count)
    }
  }
}

/// One verifiable instruction.
struct Constraint {
  private let check: (String) -> Bool

  func isFollowed(by answer: String) -> Bool { !answer.trimmed.isEmpty && check(answer) }

  /// - Throws: for an instruction or an argument that is not known: to pass over it would be to
  ///   call it followed.
  init(_ name: String, _ arguments: JSONValue) throws {
    func text(_ key: String) throws -> String {
      guard let value = arguments[key]?.string else { throw Self.missing(key, name) }
      return value
    }
    func number(_ key: String) throws -> Int {
      guard let value = arguments[key]?.number, let whole = Int(exactly: value) else {
        throw Self.missing(key, name)
      }
      return whole
    }
    func texts(_ key: String) throws -> [String] {
      guard let values = arguments[key]?.array else { throw Self.missing(key, name) }
      return try values.map { value in
        guard let text = value.string else { throw Self.missing(key, name) }
        return text
      }
    }
    /// "at least" (default) or "less than" `limit`.
    func compares(_ relation: String, _ limit: Int) throws -> (Int) -> Bool {
      switch arguments[relation]?.string ?? "at least" {
      case "at least": { $0 >= limit }
      case "less than": { $0 < limit }
      case let other: throw PluginFailure("\(name): relation \"\(other)\" is not known")
      }
    }
    switch name {
    case "keywords:existence":
      let words = try texts("keywords")
      check = { answer in words.allSatisfy { answer.containsIgnoringCase($0) } }
    case "keywords:forbidden_words":
      let words = try texts("forbidden_words")
      check = { answer in !words.contains { answer.words(equalTo: $0) > 0 } }
    case "keywords:frequency":
      let (word, fits) = (try text("keyword"), try compares("relation", number("frequency")))
      check = { fits($0.occurrences(of: word)) }
    case "keywords:letter_frequency":
      let (letter, fits) = (
        try text("letter").lowercased(), try compares("let_relation", number("let_frequency"))
      )
      check = { answer in fits(answer.lowercased().count { String($0) == letter }) }
    case "length_constraints:number_words":
      let fits = try compares("relation", number("num_words"))
      check = { fits($0.wordCount) }
    case "length_constraints:number_sentences":
      let fits = try compares("relation", number("num_sentences"))
      check = { fits($0.sentenceCount) }
    case "length_constraints:number_paragraphs":
      let wanted = try number("num_paragraphs")
      check = { $0.parts(between: "***").count == wanted }
    case "detectable_content:number_placeholders":
      let wanted = try number("num_placeholders")
      check = { $0.matches(of: /\[[^\[\]\n]*\]/).count >= wanted }
    case "detectable_content:postscript":
      let marker = try text("postscript_marker")
      check = { $0.containsIgnoringCase(marker) }
    case "detectable_format:number_bullet_lists":
      let wanted = try number("num_bullets")
      check = { $0.lines.count { $0.isBullet } == wanted }
    case "detectable_format:number_highlighted_sections":
      let wanted = try number("num_highlights")
      check = { $0.matches(of: /\*[^\n\*]+\*/).count >= wanted }
    case "detectable_format:title":
      check = { !$0.matches(of: /<<[^\n]*[^\s<>][^\n]*>>/).isEmpty }
    case "detectable_format:json_format":
      let rule = JSONRule()
      check = { rule.isJSON($0) }
    case "detectable_format:constrained_response":
      let allowed = ["My answer is yes.", "My answer is no.", "My answer is maybe."]
      check = { answer in allowed.contains { answer.contains($0) } }
    case "change_case:english_lowercase":
      check = { $0 == $0.lowercased() }
    case "change_case:english_capital":
      check = { $0 == $0.uppercased() }
    case "change_case:capital_word_frequency":
      let fits = try compares("capital_relation", number("capital_frequency"))
      check = { fits($0.capitalWordCount) }
    case "punctuation:no_comma":
      check = { !$0.contains(",") }
    case "startend:end_checker":
      let phrase = try text("end_phrase").trimmed.lowercased()
      check = { $0.trimmed.lowercased().hasSuffix(phrase) }
    case "startend:quotation":
      check = { $0.trimmed.count > 1 && $0.trimmed.hasPrefix("\"") && $0.trimmed.hasSuffix("\"") }
    case "combination:two_responses":
      check = { answer in
        let parts = answer.parts(between: "******")
        return parts.count == 2 && parts[0] != parts[1]
      }
    case "combination:repeat_prompt":
      let prompt = try text("prompt_to_repeat").trimmed.lowercased()
      check = { $0.trimmed.lowercased().hasPrefix(prompt) }
    default:
      throw PluginFailure(
        "instruction \"\(name)\" is not known to the verifier, and to pass over it would be a guess"
      )
    }
  }

  private static func missing(_ key: String, _ name: String) -> PluginFailure {
    PluginFailure("\(name): kwargs lack \(key), or it is of another type")
  }
}
