import SparPluginKit

/// Compares answers by a scalar reward: r = w·h at the last token.
///
/// Source: Bradley and Terry 1952; the heads are those of GPM's baseline (`value_head.weight` with
/// one row) and of Hugging Face's `…ForSequenceClassification` with one label (`score.weight`).
final class BradleyTerry: Ranker {
  enum Head: String, CaseIterable {
    case value = "value_head.weight"
    case score = "score.weight"
  }

  private let model: TextModel
  private let head: LinearHead
  private let scale: Double
  private let encoding: AnswerEncoding

  init(
    model: TextModel, scale: Double?, treatment: AnswerEncoding.Treatment?, maxTokens: Int
  ) throws {
    let info = model.info
    guard !info.isEncoder else {
      throw PluginFailure("\(info.path) is an encoder; bradley-terry needs a causal model")
    }
    var found: [(Head, TextModel.Weights)] = []
    for name in Head.allCases {
      if let weights = try model.tensor(name.rawValue) { found.append((name, weights)) }
    }
    guard let (name, weights) = found.first, found.count == 1 else {
      throw PluginFailure(
        found.isEmpty
          ? "\(info.path) has neither value_head.weight nor score.weight: it is no reward model"
          : "\(info.path) has both value_head.weight and score.weight: which one is meant is "
            + "not known, remove one")
    }
    head = try LinearHead(weights, named: name.rawValue, info)
    guard head.outputs == 1 else {
      throw PluginFailure(
        "\(info.path): \(name.rawValue) has \(head.outputs) rows, a reward is one number; "
          + (name == .value
            ? "an embedding is for the ranker gpm" : "a classifier of several labels is no ranker"))
    }
    self.model = model
    let said = try Self.choices(saidBy: info)
    self.scale = try info.settled("scale", scale, said.scale) ?? 1
    encoding = AnswerEncoding(
      treatment: try info.settled("text", treatment, said.treatment)
        ?? (name == .value ? .ranking : .template),
      maxTokens: maxTokens > 0 ? min(maxTokens, info.maxPositions) : info.maxPositions)
  }

  /// `spar_ranker` of config.json, as `spar train-ranker` writes it; its tau is our scale.
  private static func choices(
    saidBy info: TextModelInfo
  ) throws -> (scale: Double?, treatment: AnswerEncoding.Treatment?) {
    guard let said = try info.rankerChoices(info.config(), kind: "bradley-terry") else {
      return (nil, nil)
    }
    let tau = try info.member("tau", of: said, \.number)
    if let tau, !(tau > 0 && tau.isFinite) {
      throw PluginFailure("\(info.path): config.json has spar_ranker.tau \(tau)")
    }
    return (tau, try info.choice("text", of: said, as: AnswerEncoding.Treatment.self))
  }

  func rank(_ queries: [Query]) throws {
    let encoded = try queries.map {
      try encoding.encode($0.messages, answers: $0.responses, model)
    }
    let states = try model.hidden(
      encoded.map { texts in
        .init(
          prefix: .init(ids: texts.prefix),
          sequences: texts.answers.map { .init(ids: $0, rows: [$0.count - 1]) })
      })
    for (place, query) in queries.enumerated() {
      query.write(scores: states[place].sequences.map { head($0)[0] }, scale: scale)
      for (answer, isCut) in encoded[place].truncated.enumerated() where isCut {
        query.markTruncated(answer)
      }
    }
  }
}
