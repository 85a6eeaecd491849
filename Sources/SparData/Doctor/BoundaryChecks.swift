import SparText

// What can be said of a row for a model: where prompt and answer meet, and how long they are.
extension DataDoctor {
  func checkBoundaries(_ row: DataRow, _ example: Example) {
    switch example.prompt {
    case .messages(let messages): checkConversation(row, messages, example.answers)
    case .text(let text): checkPlain(row, text, example.answers)
    case .ids(let ids): checkIDs(row, ids, example.answers)
    }
  }

  private func checkConversation(
    _ row: DataRow, _ messages: [ChatMessage], _ answers: [Example.Answer]
  ) {
    guard let chat else { return }
    for message in messages { checkSpecial(row, message.content) }
    let prompt: String
    do {
      guard let text = try chat.render(messages, addGenerationPrompt: true) else {
        return table.add(.noTemplate, row.place)
      }
      prompt = text
    } catch {
      return table.add(.templateRefuses, row.place, Self.words(error))
    }
    let promptIDs = chat.tokenizer.encode(prompt)
    checkBegin(row, promptIDs)
    var longest = 0
    for case .text(let answer) in answers {
      checkSpecial(row, answer)
      let answerIDs = chat.tokenizer.encode(answer)
      longest = max(longest, answerIDs.count + 1)
      do {
        let asked = messages + [ChatMessage(role: "assistant", content: answer)]
        guard let whole = try chat.render(asked, addGenerationPrompt: false) else { continue }
        checkWhole(row, whole: whole, prompt: prompt, answer: answer)
      } catch {
        table.add(.templateRefuses, row.place, Self.words(error))
      }
      checkSeam(row, prompt: prompt, promptIDs, answer: answer, answerIDs)
    }
    checkLength(row, prompt: promptIDs.count, answer: longest)
  }

  /// The conversation with its answer, as a trainer that renders it whole would see it.
  private func checkWhole(_ row: DataRow, whole: String, prompt: String, answer: String) {
    guard let chat else { return }
    guard whole.utf8.starts(with: prompt.utf8) else {
      let common = zip(whole.unicodeScalars, prompt.unicodeScalars).prefix { $0 == $1 }.count
      func excerpt(_ text: String) -> String {
        JSONWriter.quoted(
          String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(common).prefix(24))))
      }
      return table.add(
        .notPrefixPreserving, row.place,
        "they part at character \(common): \(excerpt(prompt)) in the prompt, \(excerpt(whole)) in "
          + "the conversation")
    }
    let tail = whole.utf8.dropFirst(prompt.utf8.count)
    guard tail.starts(with: answer.utf8) else {
      return table.add(
        .answerChanged, row.place,
        "the answer becomes " + JSONWriter.quoted(String(String(Substring(tail)).prefix(40))))
    }
    let ending = String(Substring(tail.dropFirst(answer.utf8.count)))
    let first = chat.tokenizer.encode(ending).first
    guard let first, chat.endIDs.contains(first) else {
      return table.add(
        .templateEnd, row.place, "behind the answer stands " + JSONWriter.quoted(ending))
    }
  }

  private func checkPlain(_ row: DataRow, _ prompt: String, _ answers: [Example.Answer]) {
    guard let chat else { return }
    let promptIDs = chat.prompt(text: prompt)
    checkBegin(row, promptIDs)
    checkSpecial(row, prompt)
    var longest = 0
    for case .text(let answer) in answers {
      checkSpecial(row, answer)
      let answerIDs = chat.tokenizer.encode(answer)
      longest = max(longest, answerIDs.count + 1)
      checkSeam(row, prompt: prompt, chat.tokenizer.encode(prompt), answer: answer, answerIDs)
    }
    checkLength(row, prompt: promptIDs.count, answer: longest)
  }

  private func checkIDs(_ row: DataRow, _ prompt: [Int32], _ answers: [Example.Answer]) {
    guard let endIDs else { return }
    checkBegin(row, prompt)
    var longest = 0
    for case .ids(let answer) in answers {
      longest = max(longest, answer.count)
      if let last = answer.last, !endIDs.contains(last) {
        table.add(.missingEnd, row.place, "the last id is \(last)")
      }
    }
    checkLength(row, prompt: prompt.count, answer: longest)
  }

  private func checkBegin(_ row: DataRow, _ ids: [Int32]) {
    guard let begin = chat?.tokenizer.bos, ids.count > 1, ids[0] == begin, ids[1] == begin else {
      return
    }
    table.add(.doubleBOS, row.place)
  }

  private func checkSeam(
    _ row: DataRow, prompt: String, _ promptIDs: [Int32], answer: String, _ answerIDs: [Int32]
  ) {
    guard let chat else { return }
    let together = chat.tokenizer.encode(prompt + answer)
    let apart = promptIDs + answerIDs
    guard together != apart else { return }
    let common = zip(together, apart).prefix { $0 == $1 }.count
    func tokens(_ ids: [Int32]) -> String {
      ids.dropFirst(common).prefix(3).map { JSONWriter.quoted(chat.tokenizer.decode([$0])) }
        .joined(separator: " ")
    }
    table.add(
      .seam, row.place,
      "from token \(common) on: apart \(tokens(apart)), together \(tokens(together))")
  }

  private func checkSpecial(_ row: DataRow, _ text: String) {
    // Only text that has a bracket or the like can spell one of them.
    guard let token = specialTokens.first(where: { text.contains($0) }) else { return }
    table.add(.specialToken, row.place, "it contains " + JSONWriter.quoted(token))
  }

  private func checkLength(_ row: DataRow, prompt: Int, answer: Int) {
    let length = prompt + answer
    if length > options.maxLength {
      table.add(.truncated, row.place, "\(length) tokens, max_length is \(options.maxLength)")
    }
    if let positions = options.maxPositions, min(length, options.maxLength) > positions {
      table.add(.tooLongForModel, row.place, "\(length) tokens, the model holds \(positions)")
    }
  }

  private static func words(_ error: any Error) -> String {
    (error as? JinjaError)?.what ?? "\(error)"
  }
}
