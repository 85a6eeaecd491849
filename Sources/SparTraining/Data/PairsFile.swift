import Foundation

/// Pairs from a JSONL file, one object a line.
///
///     {"prompt": "Once", "chosen": " upon a time", "rejected": " more"}
///     {"prompt": [{"role": "user", "content": "Hi"}], "chosen": [{...}], "rejected": [{...}]}
///     {"prompt_ids": [1, 5], "chosen_ids": [7, 2], "rejected_ids": [9, 2]}
///
/// `messages` is another name of a conversational prompt.  Answers may be texts, or conversations
/// that end with the assistant's turn; where such a conversation holds the prompt, no other is
/// needed, and a `prompt` text beside it is not used (UltraFeedback's layout).
///
/// `chosen_probs` is P(chosen beats rejected), `chosen_probs_win` and `chosen_probs_lose` are the
/// mean win rates of the two.  Without any, the label is taken as certain: 1, 1 and 0.
/// `ref_chosen_logps` and `ref_rejected_logps` are sums under the reference.  Any other number
/// becomes a column for objectives.
public enum PairsFile {
  public static func read(
    _ path: String, encoder: (any PairEncoder)?, options: TrainingOptions = TrainingOptions()
  ) throws -> [TrainingGroup] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let truncation = SequenceTruncation(options, beginID: encoder?.beginID)
    var groups: [TrainingGroup] = []
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { continue }
      do {
        var group = try PairLine(Data(line), encoder: encoder).group()
        switch options.pairing {
        case .bestWorst: break
        case .allPairs: group.terms = .pairs([TrainingPair(chosen: 0, rejected: 1)])
        case .allAnswers: group.terms = .answers
        }
        group.row = groups.count
        if let problem = truncation.apply(to: &group) { throw PairLine.Problem(text: problem) }
        groups.append(group)
      } catch let problem as PairLine.Problem {
        throw TrainingError.line(path: path, line: index + 1, problem: problem.text)
      } catch {
        throw TrainingError.line(path: path, line: index + 1, problem: "\(error)")
      }
    }
    if groups.isEmpty { throw TrainingError.noPairs(path: path) }
    return groups
  }
}

/// One line of a pairs file.
struct PairLine {
  struct Problem: Error {
    var text: String
  }

  private let object: [String: Any]
  private let encoder: (any PairEncoder)?

  init(_ line: Data, encoder: (any PairEncoder)?) throws {
    let value: Any
    do {
      value = try JSONSerialization.jsonObject(with: line)
    } catch {
      throw Problem(text: "not JSON; each line must be one whole object")
    }
    guard let object = value as? [String: Any] else {
      throw Problem(text: "not a JSON object")
    }
    self.object = object
    self.encoder = encoder
  }

  func group() throws -> TrainingGroup {
    let (prompt, chosen, rejected) = try ids()
    for (name, ids) in [("prompt", prompt), ("chosen", chosen), ("rejected", rejected)]
    where ids.isEmpty {
      throw Problem(text: "\(name) has no token")
    }
    let single = try probability("chosen_probs")
    let p = single ?? 1
    let win = try probability("chosen_probs_win") ?? p
    let lose = try probability("chosen_probs_lose") ?? 1 - p
    // Log-odds of certainty are infinite; those of 0.9999 stand in.
    let clipped = min(max(p, 1e-4), 1 - 1e-4)
    let odds = log(clipped / (1 - clipped))
    var group = TrainingGroup(
      promptIDs: prompt,
      answers: [
        TrainingAnswer(
          ids: chosen, refLogp: try number("ref_chosen_logps"), winProb: win, meanScore: odds / 2,
          label: 1),
        TrainingAnswer(
          ids: rejected, refLogp: try number("ref_rejected_logps"), winProb: lose,
          meanScore: -odds / 2, label: -1),
      ], pairwise: [0.5, p, 1 - p, 0.5], score: [0, odds, -odds, 0])
    for (key, value) in object where !Self.known.contains(key) {
      if let number = value as? Double { group.columns[key] = [number, number] }
    }
    return group
  }

  private static let known: Set = [
    "prompt", "messages", "chosen", "rejected", "prompt_ids", "chosen_ids", "rejected_ids",
    "chosen_probs", "chosen_probs_win", "chosen_probs_lose", "ref_chosen_logps",
    "ref_rejected_logps",
  ]

  // MARK: - Texts

  private func ids() throws -> (prompt: [Int32], chosen: [Int32], rejected: [Int32]) {
    if object["prompt_ids"] != nil {
      return (try list("prompt_ids"), try list("chosen_ids"), try list("rejected_ids"))
    }
    guard let encoder else {
      throw Problem(
        text: "only prompt_ids, chosen_ids and rejected_ids can be read without a model")
    }
    let chosen = try Side(object["chosen"], "chosen")
    let rejected = try Side(object["rejected"], "rejected")
    guard chosen.before == rejected.before else {
      throw Problem(text: "chosen and rejected answer different conversations")
    }
    let prompt = try promptIDs(before: chosen.before, encoder)
    return (prompt, try encoder.answer(chosen.text), try encoder.answer(rejected.text))
  }

  private func promptIDs(before: [PairMessage], _ encoder: any PairEncoder) throws -> [Int32] {
    let given = object["prompt"] ?? object["messages"]
    if given is [Any] {
      let messages = try Self.messages(given, "prompt")
      // Some data repeat the prompt inside the answers.
      guard before.isEmpty || before == messages else {
        throw Problem(text: "the answers' conversation does not begin with the prompt")
      }
      return try encoder.prompt(messages)
    }
    if !before.isEmpty { return try encoder.prompt(before) }
    guard let text = given as? String else {
      throw Problem(text: "prompt is missing; it must be a text or a list of messages")
    }
    return try encoder.text(text)
  }

  /// One answer: its text and the turns before it, if it has any.
  private struct Side {
    var text: String
    var before: [PairMessage] = []

    init(_ value: Any?, _ name: String) throws {
      if let text = value as? String {
        self.text = text
        return
      }
      let messages = try PairLine.messages(value, name)
      guard let last = messages.last, last.role == "assistant" else {
        throw Problem(text: "\(name) does not end with an assistant's message")
      }
      text = last.content
      before = messages.dropLast()
    }
  }

  static func messages(_ value: Any?, _ name: String) throws -> [PairMessage] {
    guard let list = value as? [[String: Any]], !list.isEmpty else {
      throw Problem(
        text: value == nil
          ? "\(name) is missing" : "\(name) must be a text or a list of messages")
    }
    return try list.map { turn in
      guard let role = turn["role"] as? String, let content = turn["content"] as? String else {
        throw Problem(text: "a message of \(name) has no role or no content")
      }
      return PairMessage(role: role, content: content)
    }
  }

  // MARK: - Numbers

  private func list(_ key: String) throws -> [Int32] {
    guard let values = object[key] as? [Int] else {
      throw Problem(text: "\(key) must be a list of token ids")
    }
    return try values.map {
      guard let id = Int32(exactly: $0), id >= 0 else {
        throw Problem(text: "\(key) holds \($0), which is no token id")
      }
      return id
    }
  }

  private func number(_ key: String) throws -> Double? {
    guard let value = object[key], !(value is NSNull) else { return nil }
    guard let number = value as? Double, number.isFinite else {
      throw Problem(text: "\(key) must be a number")
    }
    return number
  }

  private func probability(_ key: String) throws -> Double? {
    guard let value = try number(key) else { return nil }
    guard (0...1).contains(value) else {
      throw Problem(text: "\(key) is \(value), a probability is from 0 to 1")
    }
    return value
  }
}
