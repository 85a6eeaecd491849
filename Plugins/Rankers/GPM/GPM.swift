import SparPluginKit

/// Compares answers by a general preference model: K forward passes for a prompt, its own tokens
/// computed once, then K(K − 1) products of embeddings.
final class GPM: Ranker {
  private let model: TextModel
  private let head: PreferenceHead
  private let tau: Double
  private let encoding: AnswerEncoding

  init(model: TextModel, given: HeadChoices, maxTokens: Int) throws {
    let choices = try given.settled(by: HeadChoices(model.info), model.info)
    self.model = model
    head = try PreferenceHead(model, choices)
    tau = choices.tau ?? 0.1
    guard tau > 0, tau.isFinite else {
      throw PluginFailure("\(model.info.path): tau is \(tau), it must be positive")
    }
    let most = model.info.maxPositions
    encoding = AnswerEncoding(
      treatment: choices.treatment ?? .ranking,
      maxTokens: maxTokens > 0 ? min(maxTokens, most) : most)
  }

  func rank(_ queries: [Query]) throws {
    let encoded = try queries.map {
      try encoding.encode($0.messages, answers: $0.responses, model)
    }
    let states = try model.hidden(encoded.map(Self.group))
    for (place, query) in queries.enumerated() {
      let (texts, states) = (encoded[place], states[place])
      var embeddings: [[Double]] = []
      var gates: [[Double]] = []
      for answer in 0..<query.count {
        embeddings.append(head.embedding(states.sequences[answer]))
        // The gate is read from this answer's own sequence; in the prefix it is the same for all.
        gates.append(
          texts.turnEnds[answer] < texts.prefix.count
            ? head.weights(states.prefix, row: Self.prefixRow(texts, answer))
            : head.weights(states.sequences[answer], row: 1))
        if texts.truncated[answer] { query.markTruncated(answer) }
      }
      query.write { i, j in
        skewProduct(embeddings[i], embeddings[j], weights: gates[i]) / tau
      }
    }
  }

  /// The rows that are read: each answer's last token, and the ends of the user's turn.
  private static func group(_ texts: AnswerEncoding.Encoded) -> TextModel.Group {
    TextModel.Group(
      prefix: .init(ids: texts.prefix, rows: gateRows(texts)),
      sequences: texts.answers.indices.map { answer in
        let ids = texts.answers[answer]
        let end = texts.turnEnds[answer] - texts.prefix.count
        return .init(ids: ids, rows: [ids.count - 1] + (end >= 0 ? [end] : []))
      })
  }

  /// Ends of the user's turn that lie in the prefix, each once.
  private static func gateRows(_ texts: AnswerEncoding.Encoded) -> [Int] {
    Set(texts.turnEnds.filter { $0 < texts.prefix.count }).sorted()
  }

  private static func prefixRow(_ texts: AnswerEncoding.Encoded, _ answer: Int) -> Int {
    gateRows(texts).firstIndex(of: texts.turnEnds[answer]) ?? 0
  }
}
