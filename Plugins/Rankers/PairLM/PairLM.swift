import SparPluginKit

/// Asks a causal model which of two answers is better: the logit of "A" less that of "B".
///
/// Every ordered pair is asked for, so the model's liking for a place shows in the table.  Pairs
/// that begin with the same answer share conversation and answer.
final class PairLM: Ranker {
  private let model: TextModel
  private let labels: [Int32]
  private let maxTokens: Int
  private let asksForAnswer: Bool

  init(model: TextModel, labels: [String], asksForAnswer: Bool, maxTokens: Int) throws {
    let info = model.info
    guard !info.isEncoder else {
      throw PluginFailure("\(info.path) is an encoder; pair-lm needs a causal model")
    }
    self.labels = try model.tokens(of: labels)
    self.model = model
    self.asksForAnswer = asksForAnswer
    self.maxTokens = maxTokens > 0 ? min(maxTokens, info.maxPositions) : info.maxPositions
  }

  func rank(_ queries: [Query]) throws {
    var groups: [TextModel.Group] = []
    var places: [(query: Int, i: Int, others: [Int])] = []
    for (q, query) in queries.enumerated() where query.count > 1 {
      let messages = query.messages
      let answers = beginnings(query)
      for i in 0..<query.count {
        var others: [Int] = []
        var sequences: [[Int32]] = []
        for j in 0..<query.count where j != i {
          guard let ids = try ids(query, messages, answers, i, j) else { continue }
          others.append(j)
          sequences.append(ids)
        }
        guard !sequences.isEmpty else { continue }
        groups.append(Self.sharing(sequences))
        places.append((q, i, others))
      }
    }
    let states = try model.hidden(groups)
    let logits = try model.logits(states.flatMap { $0.sequences.flatMap { $0 } }, ids: labels)
    var tables = queries.map { [Double?](repeating: nil, count: $0.count * $0.count) }
    var row = 0
    for place in places {
      for j in place.others {
        let k = queries[place.query].count
        tables[place.query][place.i * k + j] = Double(logits[2 * row]) - Double(logits[2 * row + 1])
        row += 1
      }
    }
    for (query, table) in zip(queries, tables) {
      query.write { i, j in table[i * query.count + j] ?? 0 }
      for i in 0..<query.count {
        for j in 0..<i where table[i * query.count + j] == nil || table[j * query.count + i] == nil
        {
          try query.markFailed(i, j)
        }
      }
    }
  }

  /// As much of each answer as can be read at all.
  private func beginnings(_ query: Query) -> [String] {
    query.responses.enumerated().map { answer, text in
      // A token is rarely longer than this: what lies beyond is never read.
      let start = Self.start(of: text, bytes: 32 * maxTokens)
      if start.utf8.count < text.utf8.count { query.markTruncated(answer) }
      return start
    }
  }

  /// The ids of one ordered pair.  Where they are too many the longer answer is cut at its end; nil
  /// where the conversation alone is too long.
  private func ids(
    _ query: Query, _ messages: [Message], _ answers: [String], _ i: Int, _ j: Int
  ) throws -> [Int32]? {
    var texts = [answers[i], answers[j]]
    while true {
      let ids = try ids(messages, texts[0], texts[1])
      if ids.count <= maxTokens { return ids }
      let longer = texts[0].utf8.count >= texts[1].utf8.count ? 0 : 1
      let bytes = texts[longer].utf8.count
      guard bytes > 0 else { return nil }
      query.markTruncated(longer == 0 ? i : j)
      let excess = Double(ids.count - maxTokens) / Double(ids.count)
      texts[longer] = Self.start(
        of: texts[longer], bytes: min(bytes - 1, Int(Double(bytes) * (1 - excess / 2))))
    }
  }

  private func ids(_ messages: [Message], _ a: String, _ b: String) throws -> [Int32] {
    var text = try model.render(
      [Message(role: "user", content: PairPrompt.text(messages, a, b))],
      generationPrompt: asksForAnswer)
    if let bos = model.info.bosToken, !bos.isEmpty { text = text.removing(bos) }
    return try model.encode(text)
  }

  /// The longest beginning of whole characters within `bytes`.
  private static func start(of text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    var end = text.utf8.index(text.startIndex, offsetBy: bytes)
    while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
    return String(text[..<end])
  }

  private static func sharing(_ sequences: [[Int32]]) -> TextModel.Group {
    let first = sequences[0]
    let shared =
      sequences.map { sequence in
        min(zip(sequence, first).prefix { $0 == $1 }.count, sequence.count - 1)
      }.min() ?? 0
    return TextModel.Group(
      prefix: .init(ids: Array(first.prefix(max(shared, 0)))),
      sequences: sequences.map { sequence in
        let own = Array(sequence.dropFirst(max(shared, 0)))
        return .init(ids: own, rows: [own.count - 1])
      })
  }
}
