/// What the columns of a data set mean.  A form is chosen by the names of the columns alone, the
/// first that fits in the order here.
public enum DataForm: String, CaseIterable, Sendable {
  /// Token ids: nothing is rendered or tokenised again.
  case idPairs = "id-pairs"
  case ids
  /// SPPO's answers of one prompt, with the table of win probabilities.
  case candidates
  case sharegptPairs = "sharegpt-pairs"
  case sharegpt
  case alpacaPairs = "alpaca-pairs"
  case alpaca
  case questionPairs = "question-pairs"
  /// TRL's preference data with a prompt of its own.
  case pairs
  /// The prompt is what both conversations begin with.
  case implicitPairs = "implicit-pairs"
  /// TRL's unpaired preferences.
  case unpaired
  case completions
  case conversations
  case prompts
  case text

  /// The columns that make it this form; in brackets those that it may have besides.
  public var columns: String {
    switch self {
    case .idPairs: "prompt_ids, chosen_ids, rejected_ids"
    case .ids: "prompt_ids [completion_ids]"
    case .candidates: "generate_0, generate_1, …, probability [prompt, rm_scores]"
    case .sharegptPairs: "conversations (from, value), chosen, rejected [system]"
    case .sharegpt: "conversations (from, value) [system]"
    case .alpacaPairs: "instruction, chosen, rejected [input, system, history]"
    case .alpaca: "instruction, output [input, system, history]"
    case .questionPairs: "question, chosen, rejected [system]"
    case .pairs: "prompt or messages, chosen, rejected [chosen_probs, chosen_probs_win, …]"
    case .implicitPairs: "chosen, rejected (conversations) [chosen_probs, …]"
    case .unpaired: "prompt, completion, label"
    case .completions: "prompt or messages, completion or completion_ids"
    case .conversations: "messages"
    case .prompts: "prompt"
    case .text: "text"
    }
  }

  /// Whether rows have a chosen and a rejected answer.
  public var hasPairs: Bool {
    switch self {
    case .idPairs, .candidates, .sharegptPairs, .alpacaPairs, .questionPairs, .pairs,
      .implicitPairs:
      true
    default: false
    }
  }

  private func fits(_ names: Set<String>) -> Bool {
    let hasAnswers = names.isSuperset(of: ["chosen", "rejected"])
    let hasPrompt = names.contains("prompt") || names.contains("messages")
    switch self {
    case .idPairs: return names.isSuperset(of: ["prompt_ids", "chosen_ids", "rejected_ids"])
    case .ids: return names.contains("prompt_ids")
    case .candidates:
      return names.isSuperset(of: ["generate_0", "generate_1", "probability"])
    case .sharegptPairs: return names.contains("conversations") && hasAnswers
    case .sharegpt: return names.contains("conversations")
    case .alpacaPairs: return names.contains("instruction") && hasAnswers
    case .alpaca: return names.isSuperset(of: ["instruction", "output"])
    case .questionPairs: return names.contains("question") && hasAnswers && !hasPrompt
    case .pairs: return hasPrompt && hasAnswers
    case .implicitPairs: return hasAnswers
    case .unpaired: return names.isSuperset(of: ["prompt", "completion", "label"])
    case .completions:
      return hasPrompt && (names.contains("completion") || names.contains("completion_ids"))
    case .conversations: return names.contains("messages")
    case .prompts: return names.contains("prompt")
    case .text: return names.contains("text")
    }
  }

  /// The form of these columns; nil where none fits.
  public static func of(columns: [String]) -> DataForm? {
    let names = Set(columns)
    return allCases.first { $0.fits(names) }
  }

  /// What one row of this form is: ids win over text where it has some, and text is read where the
  /// columns of ids are null.
  func `in`(_ row: DataRow) -> DataForm {
    if row["prompt_ids"] != nil { return hasPairs ? .idPairs : .ids }
    guard self == .ids || self == .idPairs else { return self }
    return Self.of(columns: row.columns.map(\.key).filter { !$0.hasSuffix("_ids") }) ?? self
  }

  /// The same for a row, an error with the columns that there are and the forms that there could be.
  public static func of(_ row: DataRow) throws(DataError) -> DataForm {
    let names = row.columns.map(\.key)
    // Columns of ids that this row leaves empty do not decide.
    let filled = row.columns.filter { !($0.value.isNull && $0.key.hasSuffix("_ids")) }
    if let form = of(columns: filled.map(\.key)) ?? of(columns: names) { return form }
    let known = allCases.map { "  \($0.rawValue): \($0.columns)" }.joined(separator: "\n")
    let found = names.isEmpty ? "none" : names.joined(separator: ", ")
    throw DataError(
      path: row.place.path, what: "its columns (\(found)) are no form that Spar knows",
      cure: "name them with --column prompt=\(names.first ?? "NAME"), …; the forms are\n\(known)")
  }
}
