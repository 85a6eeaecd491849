import Foundation
import SparData
import SparText

/// One row with answers to train on, as ids and numbers.
struct PairRow {
  private let row: DataRow
  private let form: DataForm
  private let prompt: [Int32]
  private let answers: [[Int32]]
  /// Whether `chosen_probs` and its fellows are log-odds.
  private let readsLogOdds: Bool

  /// - Throws: `DataError` with the row.
  init(
    _ row: DataRow, form: DataForm, encoder: (any PairEncoder)?, readsLogOdds: Bool = false
  ) throws {
    self.row = row
    self.form = form
    self.readsLogOdds = readsLogOdds
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
    let target: Target
    if readsLogOdds { target = try oddsTarget() } else { target = try probabilityTarget() }
    let (p, odds) = (target.probability, target.logOdds)
    var group = TrainingGroup(
      promptIDs: prompt,
      answers: [
        TrainingAnswer(
          ids: answers[0], refLogp: try number("ref_chosen_logps"), winProb: target.win,
          meanScore: target.winScore, label: 1),
        TrainingAnswer(
          ids: answers[1], refLogp: try number("ref_rejected_logps"), winProb: target.lose,
          meanScore: target.loseScore, label: -1),
      ], pairwise: [0.5, p, 1 - p, 0.5], score: [0, odds, -odds, 0])
    for column in row.columns where !Self.known.contains(column.key) {
      if let number = column.value.double { group.columns[column.key] = [number, number] }
    }
    return group
  }

  /// What a row of two answers says of them.
  private struct Target {
    /// That the chosen one beats the rejected one, and its log-odds.
    var probability: Double
    var logOdds: Double
    /// Mean win rates of the two, and mean log-odds.
    var win: Double
    var lose: Double
    var winScore: Double
    var loseScore: Double
  }

  private func probabilityTarget() throws(DataError) -> Target {
    let p = try probability("chosen_probs") ?? 1
    let odds = Self.logOdds(p)
    return Target(
      probability: p, logOdds: odds, win: try probability("chosen_probs_win") ?? p,
      lose: try probability("chosen_probs_lose") ?? 1 - p, winScore: odds / 2,
      loseScore: -odds / 2)
  }

  /// The published code's data for GPO: the columns hold W(w, l) and the mean log-odds of the two.
  /// Of these no mean win rates follow; objectives that read them are refused before.
  private func oddsTarget() throws(DataError) -> Target {
    var values: [Double] = []
    for name in KnownColumns.probabilities {
      guard let value = try number(name) else {
        throw row.error(
          "\(name) is missing, and log-odds are to be read",
          cure: "leave --log-odds out if the data have no scores")
      }
      values.append(value)
    }
    let p = 1 / (1 + exp(-values[0]))
    return Target(
      probability: p, logOdds: values[0], win: p, lose: 1 - p, winScore: values[1],
      loseScore: values[2])
  }

  /// SPPO's K answers with their table P (or W), [K, K]; the best and the worst are those of rm_scores,
  /// else of P's row means, the first of equals.
  private func candidates(_ pairing: Pairing) throws(DataError) -> TrainingGroup {
    let count = answers.count
    if readsLogOdds {
      throw row.error(
        "--log-odds is for pairs; a table of all answers tells by its diagonal what it holds",
        cure: "leave --log-odds out")
    }
    let given = try self.table(count)
    let table = given.isLogOdds ? given.values.map { 1 / (1 + exp(-$0)) } : given.values
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
    let odds = given.isLogOdds ? given.values : table.map(Self.logOdds)
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

  private func table(_ count: Int) throws(DataError) -> ProbabilityTable {
    do throws(ProbabilityTable.Problem) {
      return try ProbabilityTable(row["probability"], count: count)
    } catch {
      throw row.error(error.what, cure: error.cure)
    }
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
      throw row.error(
        "\(key) is \(value), a probability is from 0 to 1",
        cure: "data for GPO hold log-odds: give --log-odds")
    }
    return value
  }
}
