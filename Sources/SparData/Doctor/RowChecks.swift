import SparText

// What can be said of a row without a model.
extension DataDoctor {
  func checkText(_ row: DataRow, _ example: Example) {
    if row.hasBrokenText { table.add(.invalidUTF8, row.place) }
    if Self.isEmpty(example.prompt) { table.add(.emptyPrompt, row.place) }
    if example.answers.contains(where: Self.isEmpty) { table.add(.emptyAnswer, row.place) }
  }

  func checkPair(_ row: DataRow, _ example: Example, _ form: DataForm) {
    guard form.hasPairs else { return }
    if form == .candidates {
      if Set(example.answers.map(Self.key)).count == 1 {
        table.add(.identicalAnswers, row.place)
      }
    } else if example.answers[0] == example.answers[1] {
      table.add(.identicalAnswers, row.place)
    }
    for name in KnownColumns.probabilities {
      guard let value = row[name] else { continue }
      guard let number = value.double, number.isFinite,
        options.readsLogOdds || (0...1).contains(number)
      else {
        table.add(.badProbability, row.place, "\(name) is \(JSONWriter.text(value))")
        continue
      }
      if name == "chosen_probs", number < (options.readsLogOdds ? 0 : 0.5) {
        table.add(.upsetProbability, row.place)
      }
    }
    if form == .candidates, let problem = Self.problem(row["probability"], example.answers.count) {
      table.add(.badProbability, row.place, problem)
    }
  }

  /// What is wrong with a K×K table of win probabilities or of their log-odds.
  static func problem(_ table: JSONNode?, _ count: Int) -> String? {
    do throws(ProbabilityTable.Problem) {
      _ = try ProbabilityTable(table, count: count)
      return nil
    } catch {
      return error.cure.isEmpty ? error.what : "\(error.what); \(error.cure)"
    }
  }

  func checkRoles(_ row: DataRow, _ example: Example) {
    guard case .messages(let messages) = example.prompt else { return }
    var turns = messages[...]
    if turns.first?.role == "system" { turns = turns.dropFirst() }
    let isAlternating = turns.enumerated().allSatisfy { place, message in
      message.role == (place % 2 == 0 ? "user" : "assistant")
    }
    guard isAlternating, turns.last?.role == "user" else {
      let roles = messages.map(\.role).joined(separator: ", ")
      return table.add(.rolesOutOfOrder, row.place, "the roles are \(roles)")
    }
  }

  /// Rows are remembered as two numbers each: a collision is as good as impossible.
  func checkRepetition(_ row: DataRow, _ example: Example, _ form: DataForm) {
    let answers = example.answers.map(Self.key)
    let prompt = Self.key(example.prompt)
    let this = Self.digest([prompt] + answers)
    if !seen.insert(this).inserted { table.add(.duplicate, row.place) }
    guard form.hasPairs, form != .candidates, answers.count == 2, answers[0] != answers[1] else {
      return
    }
    if seen.contains(Self.digest([prompt, answers[1], answers[0]])) {
      table.add(.contradiction, row.place)
    }
  }

  func checkOverlap(_ row: DataRow, _ example: Example) {
    switch heldOut.match(example) {
    case .same(let place)?:
      table.add(.heldOutOverlap, row.place, "the same prompt is in \(place.path), \(place)")
    case .similar(let place, let share)?:
      table.add(
        .heldOutSimilar, row.place,
        "\(Int((share * 100).rounded())) % of the runs of \(place.path), \(place)")
    case nil: break
    }
  }

  // MARK: - Keys

  private static func isEmpty(_ prompt: Example.Prompt) -> Bool {
    switch prompt {
    case .text(let text): text.allSatisfy(\.isWhitespace)
    case .messages(let messages):
      messages.last { $0.role == "user" }?.content.allSatisfy(\.isWhitespace) ?? false
    case .ids(let ids): ids.isEmpty
    }
  }

  private static func isEmpty(_ answer: Example.Answer) -> Bool {
    switch answer {
    case .text(let text): text.allSatisfy(\.isWhitespace)
    case .ids(let ids): ids.isEmpty
    }
  }

  private static func key(_ answer: Example.Answer) -> String {
    switch answer {
    case .text(let text): "t" + text
    case .ids(let ids): "i\(ids)"
    }
  }

  private static func key(_ prompt: Example.Prompt) -> String {
    switch prompt {
    case .text(let text): "t" + text
    case .ids(let ids): "i\(ids)"
    case .messages(let messages):
      "m" + messages.map { "\($0.role)\u{1}\($0.content)" }.joined(separator: "\u{2}")
    }
  }

  struct Digest: Hashable {
    var a: Int
    var b: Int
  }

  private static func digest(_ texts: [String]) -> Digest {
    var first = Hasher()
    var second = Hasher()
    second.combine(0x5BD1)
    for text in texts {
      first.combine(text)
      second.combine(text)
    }
    return Digest(a: first.finalize(), b: second.finalize())
  }
}
