/// What can be wrong with a data set for a model.
public enum FindingKind: String, CaseIterable, Codable, Sendable {
  case unreadableRow = "unreadable-row"
  case invalidUTF8 = "invalid-utf8"
  case emptyPrompt = "empty-prompt"
  case emptyAnswer = "empty-answer"
  case identicalAnswers = "identical-answers"
  case badProbability = "bad-probability"
  case rolesOutOfOrder = "roles-out-of-order"
  case templateRefuses = "template-refuses"
  case noTemplate = "no-template"
  case doubleBOS = "double-bos"
  case noEnd = "no-end-token"
  case tooLongForModel = "too-long-for-model"
  case heldOutOverlap = "held-out-overlap"
  case heldOutSimilar = "held-out-similar"
  case missingEnd = "missing-end"
  case templateEnd = "template-end"
  case notPrefixPreserving = "not-prefix-preserving"
  case answerChanged = "answer-changed"
  case seam = "seam-mismatch"
  case specialToken = "special-token-in-text"
  case truncated = "truncated"
  case duplicate = "duplicate-row"
  case contradiction = "contradicting-pairs"
  case upsetProbability = "upset-probability"

  public enum Severity: String, Codable, Sendable {
    /// Training on it would be wrong.
    case error
    case warning
  }

  public var severity: Severity {
    switch self {
    case .unreadableRow, .invalidUTF8, .emptyPrompt, .emptyAnswer, .identicalAnswers,
      .badProbability, .rolesOutOfOrder, .templateRefuses, .noTemplate, .doubleBOS, .noEnd,
      .tooLongForModel, .heldOutOverlap:
      .error
    default: .warning
    }
  }

  /// What it means, as a sentence without a subject's number.
  public var meaning: String {
    switch self {
    case .unreadableRow: "the row is not of the data set's form"
    case .invalidUTF8: "the row holds bytes that are not UTF-8"
    case .emptyPrompt: "the prompt is empty"
    case .emptyAnswer: "an answer is empty"
    case .identicalAnswers: "chosen and rejected are the same"
    case .badProbability: "a probability is no number from 0 to 1"
    case .rolesOutOfOrder: "user and assistant do not take turns up to the user's last word"
    case .templateRefuses: "the chat template refuses the conversation"
    case .noTemplate: "the row is a conversation, and the model has no chat template"
    case .doubleBOS: "the prompt begins with two begin tokens"
    case .noEnd: "the model names no token that ends an answer"
    case .tooLongForModel: "prompt and answer are longer than the model's positions"
    case .heldOutOverlap: "the prompt is also in the held-out data"
    case .heldOutSimilar: "the prompt has half of a held-out prompt's runs of five words"
    case .missingEnd: "an answer's ids do not end with the end token"
    case .templateEnd: "the template does not close an answer with an end token"
    case .notPrefixPreserving:
      "the rendered conversation does not begin with the rendered prompt"
    case .answerChanged: "the template changes the answer's text"
    case .seam: "prompt and answer tokenised apart differ from both tokenised together"
    case .specialToken: "the text spells a special token"
    case .truncated: "prompt and answer are longer than max_length and will be cut"
    case .duplicate: "the row was there before"
    case .contradiction: "chosen and rejected were there before the other way round"
    case .upsetProbability: "chosen_probs is below 1/2: the rejected answer wins"
    }
  }

  public var cure: String {
    switch self {
    case .unreadableRow: "correct or remove the row; `spar data inspect` shows the form"
    case .invalidUTF8: "write the file as UTF-8 (iconv -f latin1 -t utf8, say)"
    case .emptyPrompt, .emptyAnswer, .identicalAnswers: "remove the row: it teaches nothing"
    case .badProbability: "correct chosen_probs, chosen_probs_win, chosen_probs_lose, probability"
    case .rolesOutOfOrder: "a prompt is [system,] user, assistant, user, …, and ends with user"
    case .templateRefuses: "change the conversation as the template's message says"
    case .noTemplate: "use a model with a template, or give prompts as plain text"
    case .doubleBOS: "take the begin token out of the text: it is put there by itself"
    case .noEnd: "give the model an eos_token in tokenizer_config.json"
    case .tooLongForModel: "lower max_length to the model's positions, or shorten the row"
    case .heldOutOverlap: "take the prompt out of one of the two"
    case .heldOutSimilar: "look whether it is the same question in other words"
    case .missingEnd: "append the end token, unless the answer was cut off when it was sampled"
    case .templateEnd: "nothing to do: Spar appends the end token; other trainers may not"
    case .notPrefixPreserving:
      "Spar trains on the prompt as generation renders it; other trainers may mask wrongly"
    case .answerChanged: "Spar trains on the answer as it is; trim the data to agree with both"
    case .seam: "Spar keeps the boundary, as in generation; other trainers merge across it"
    case .specialToken: "if the template was applied already, give the messages instead"
    case .truncated: "raise --max_length, or drop the rows; an answer that is cut has no end token"
    case .duplicate: "remove it, unless it is meant to count twice"
    case .contradiction: "decide which of the two holds"
    case .upsetProbability: "swap the answers, if the label is what you trust"
    }
  }
}

/// One kind of finding with its rows.
public struct Finding: Equatable, Sendable, Codable {
  public var name: FindingKind
  public var severity: FindingKind.Severity
  public var count: Int
  /// The first few rows: "train.jsonl, line 3".
  public var rows: [String]
  /// More about the first one, where there is more.
  public var detail: String?
  public var meaning: String
  public var cure: String
}

/// What the doctor found.
public struct DoctorReport: Equatable, Sendable, Codable {
  public var rows: Int
  public var form: String
  public var columns: [String]
  public var heldOutRows: Int?
  /// Errors first, in the order of `FindingKind`.
  public var findings: [Finding]

  public var errors: [Finding] { findings.filter { $0.severity == .error } }
}

/// Findings while they are collected.
struct FindingTable {
  static let shownRows = 5

  private struct Entry {
    var count = 0
    var places: [RowPlace] = []
    var last: RowPlace?
    var detail: String?
  }

  private var entries: [FindingKind: Entry] = [:]

  mutating func add(_ kind: FindingKind, _ place: RowPlace, _ detail: @autoclosure () -> String?) {
    var entry = entries[kind] ?? Entry(detail: detail())
    // A row counts once.
    guard entry.last != place else { return }
    entry.last = place
    entry.count += 1
    if entry.places.count < Self.shownRows { entry.places.append(place) }
    entries[kind] = entry
  }

  mutating func add(_ kind: FindingKind, _ place: RowPlace) { add(kind, place, nil) }

  var findings: [Finding] {
    let all = FindingKind.allCases.compactMap { kind in
      entries[kind].map { entry in
        Finding(
          name: kind, severity: kind.severity, count: entry.count,
          rows: entry.places.map { "\($0.path), \($0)" }, detail: entry.detail,
          meaning: kind.meaning, cure: kind.cure)
      }
    }
    return all.filter { $0.severity == .error } + all.filter { $0.severity == .warning }
  }
}
