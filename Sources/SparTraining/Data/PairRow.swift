import Foundation
import SparData
import SparText

/// One row with answers to train on, as ids and numbers.
struct PairRow {
  private let row: DataRow
  private let form: DataForm
  private let prompt: [Int32]
  private let answers: [[Int32]]

  /// - Throws: `DataError` with the row.
  init(_ row: DataRow, form: DataForm, encoder: (any PairEncoder)?) throws {
    self.row = row
    self.form = form
    let example = try Example(row, form: form)
    var texts: [String] = []
    var ids: [[Int32]] = []
    for answer in example.answers {
      switch answer {
      case .text(let text): texts.append(text)
      case .ids(let tokens): ids.append(tokens)
      }
    }
    if case .ids(let promptIDs) = example.prompt, texts.isEmpty {
      (prompt, answers) = (promptIDs, ids)
    } else {
      guard let encoder else {
        throw row.error(
          "only prompt_ids, chosen_ids and rejected_ids can be read without a model")
      }
      do {
        (prompt, answers) = try encoder.encode(example.prompt, answers: texts)
      } catch {
        throw row.error("\(error)")
      }
    }
    let names =
      form == .candidates ? answers.indices.map { "generate_\($0)" } : ["chosen", "rejected"]
    for (name, ids) in zip(["prompt"] + names, [prompt] + answers) where ids.isEmpty {
      throw row.error("\(name) has no token")
    }
  }

  func group(_ pairing: Pairing) throws(DataError) -> TrainingGroup {
    guard form != .candidates else { return try candidates(pairing) }
    var group = try pair()
    switch pairing {
    case .bestWorst: break
    case .allPairs: group.terms = .pairs([TrainingPair(chosen: 0, rejected: 1)])
    case .allAnswers: group.terms = .answers
    }
    return group
  }

  private func pair() throws(DataError) -> TrainingGroup {
    let single = try probability("chosen_probs")
    let p = single ?? 1
    let win = try probability("chosen_probs_win") ?? p
    let lose = try probability("chosen_probs_lose") ?? 1 - p
    let odds = Self.logOdds(p)
    var group = TrainingGroup(
      promptIDs: prompt,
      answers: [
        TrainingAnswer(
          ids: answers[0], refLogp: try number("ref_chosen_logps"), winProb: win,
          meanScore: odds / 2, label: 1),
        TrainingAnswer(
          ids: answers[1], refLogp: try number("ref_rejected_logps"), winProb: lose,
          meanScore: -odds / 2, label: -1),
      ], pairwise: [0.5, p, 1 - p, 0.5], score: [0, odds, -odds, 0])
    for column in row.columns where !Self.known.contains(column.key) {
      if let number = column.value.double { group.columns[column.key] = [number, number] }
    }
    return group
  }

  /// SPPO's K answers with their table P, [K, K]; the best and the worst are those of rm_scores,
  /// else of P's row means, the first of equals.
  private func candidates(_ pairing: Pairing) throws(DataError) -> TrainingGroup {
    let count = answers.count
    let table = try self.table(count)
    let means = (0..<count).map { i in
      (0..<count).reduce(0) { $0 + table[i * count + $1] } / Double(count)
    }
    let scores = try self.scores(count) ?? means
    let order = (0..<count).sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
    guard let best = order.first,
      let worst = order.reversed().first(where: { scores[$0] < scores[best] })
    else {
      throw row.error(
        "all answers have the same score, so none is chosen", cure: "remove the row")
    }
    let members = pairing == .bestWorst ? [best, worst] : Array(0..<count)
    let odds = table.map(Self.logOdds)
    var group = TrainingGroup(
      promptIDs: prompt,
      answers: members.map { i in
        TrainingAnswer(
          ids: answers[i], winProb: means[i],
          meanScore: (0..<count).reduce(0) { $0 + odds[i * count + $1] } / Double(count),
          label: i == best ? 1 : i == worst ? -1 : 0)
      },
      pairwise: members.flatMap { i in members.map { table[i * count + $0] } },
      score: members.flatMap { i in members.map { odds[i * count + $0] } })
    group.columns["score"] = members.map { scores[$0] }
    switch pairing {
    case .bestWorst: break
    case .allAnswers: group.terms = .answers
    case .allPairs:
      group.terms = .pairs(
        order.indices.flatMap { place in
          order[(place + 1)...].filter { scores[$0] < scores[order[place]] }
            .map { TrainingPair(chosen: order[place], rejected: $0) }
        })
    }
    return group
  }

  /// Log-odds of certainty are infinite; those of 0.9999 stand in.
  private static func logOdds(_ p: Double) -> Double {
    let clipped = min(max(p, 1e-4), 1 - 1e-4)
    return log(clipped / (1 - clipped))
  }

  private static let known: Set = [
    "prompt", "messages", "chosen", "rejected", "prompt_ids", "chosen_ids", "rejected_ids",
    "chosen_probs", "chosen_probs_win", "chosen_probs_lose", "ref_chosen_logps",
    "ref_rejected_logps", "index", "id",
  ]

  // MARK: - Numbers

  private func table(_ count: Int) throws(DataError) -> [Double] {
    guard let rows = row["probability"]?.array, rows.count == count,
      rows.allSatisfy({ $0.array?.count == count })
    else { throw row.error("probability must be a table of \(count) rows and columns") }
    var table: [Double] = []
    for value in rows.flatMap({ $0.array ?? [] }) {
      guard let number = value.double, (0...1).contains(number) else {
        throw row.error(
          "probability holds \(JSONWriter.text(value)), a probability is from 0 to 1",
          cure: "log-odds (the scores of GPO) are none; give win probabilities")
      }
      table.append(number)
    }
    return table
  }

  private func scores(_ count: Int) throws(DataError) -> [Double]? {
    guard let values = row["rm_scores"] else { return nil }
    let numbers = (values.array ?? []).compactMap(\.double)
    guard numbers.count == count, numbers.allSatisfy(\.isFinite) else {
      throw row.error("rm_scores must be \(count) numbers")
    }
    return numbers
  }

  private func number(_ key: String) throws(DataError) -> Double? {
    guard let value = row[key] else { return nil }
    guard let number = value.double, number.isFinite else {
      throw row.error("\(key) must be a number")
    }
    return number
  }

  private func probability(_ key: String) throws(DataError) -> Double? {
    guard let value = try number(key) else { return nil }
    guard (0...1).contains(value) else {
      throw row.error("\(key) is \(value), a probability is from 0 to 1")
    }
    return value
  }
}
