import CSparPlugin
import SparPluginKit

/// Compares answers by asking a language model which of two is better.
///
/// A question that gets no usable reply is a failure: the pair is marked, and nothing stands in
/// its place.
final class Judge: Ranker {
  private var panel: any JudgePanel
  private let order: JudgeOrder
  private let seed: Int
  /// Options that do not belong together: told when there is work, since `create` takes every choice.
  private let misuse: PluginFailure?

  init(panel: any JudgePanel, order: JudgeOrder, seed: Int, misuse: PluginFailure?) {
    self.panel = panel
    self.misuse = misuse
    self.order = order
    self.seed = seed
  }

  func rank(_ queries: [Query]) throws {
    if let misuse { throw misuse }
    let messages = queries.map(\.messages)
    let answers = queries.map(\.responses)
    var comparisons: [Comparison] = []
    for q in queries.indices {
      let prompt = messages[q].map { "\($0.role): \($0.content)" }.joined(separator: "\n")
      comparisons += order.comparisons(q, prompt: prompt, answers: answers[q], seed: seed)
    }
    let verdicts = try panel.logOdds(comparisons, messages: messages, answers: answers)
    for (q, query) in queries.enumerated() {
      let k = query.count
      var table = [Double](repeating: 0, count: k * k)
      var failed: [Comparison] = []
      for (comparison, verdict) in zip(comparisons, verdicts) where comparison.query == q {
        let (i, j) = (comparison.first, comparison.second)
        guard let verdict else {
          failed.append(comparison)
          continue
        }
        table[i * k + j] = verdict
        if order == .random { table[j * k + i] = -verdict }
      }
      query.write { table[$0 * k + $1] }
      for comparison in failed { try query.markFailed(comparison.first, comparison.second) }
    }
  }
}

/// Who is asked.
protocol JudgePanel {
  /// Log-odds that the first answer is better, for each question; nil where there is no usable
  /// reply.
  mutating func logOdds(
    _ comparisons: [Comparison], messages: [[Message]], answers: [[String]]
  ) throws -> [Double?]
}

/// A model of the host's own.
struct LocalPanel: JudgePanel {
  private let model: TextModel
  private let labels: [Int32]
  private let prompt: JudgePrompt

  init(_ model: TextModel, labels: [String], prompt: JudgePrompt) throws {
    guard !model.info.isEncoder else {
      throw PluginFailure("\(model.info.path) is an encoder, which cannot be asked")
    }
    self.model = model
    self.prompt = prompt
    self.labels = try model.tokens(of: labels)
  }

  /// A question beyond the model's positions has no reply.
  func logOdds(
    _ comparisons: [Comparison], messages: [[Message]], answers: [[String]]
  ) throws -> [Double?] {
    var asked: [Int] = []
    var groups: [TextModel.Group] = []
    for (place, c) in comparisons.enumerated() {
      let text = prompt.text(
        messages[c.query], answers[c.query][c.first], answers[c.query][c.second])
      let rendered = try model.render(
        [Message(role: "user", content: text)], generationPrompt: true)
      let ids = try model.encode(rendered)
      guard !ids.isEmpty, ids.count <= model.info.maxPositions else { continue }
      asked.append(place)
      groups.append(.init(sequences: [.init(ids: ids, rows: [ids.count - 1])]))
    }
    let states = try model.hidden(groups)
    let logits = try model.logits(states.flatMap { $0.sequences[0] }, ids: labels)
    var verdicts = [Double?](repeating: nil, count: comparisons.count)
    for (row, place) in asked.enumerated() {
      verdicts[place] = Double(logits[2 * row]) - Double(logits[2 * row + 1])
    }
    return verdicts
  }
}
