import CSparPlugin
import SparPairInput
import SparPluginKit

/// A cross-encoder that reads a prompt with two answers at a time.
///
///     raw(i, j) = f([h_source; h_1]) − f([h_source; h_2]),   y_i first, y_j second
///
/// Every ordered pair of different answers is a sequence of its own, K (K − 1) for a prompt: rows of
/// an encoder see the whole sequence, so that nothing can be shared between pairs, and the two
/// orders of a pair differ.  Pairs of equal token sequences (answers that repeat) are computed once.
/// Source: Jiang et al. 2023, arXiv:2306.02561.
final class PairRM: Ranker {
  private let model: TextModel
  private let head: PairHead
  private let input: PairInput

  init(model: TextModel, sourceMaxLength: Int, candidateMaxLength: Int) throws {
    guard model.info.isEncoder else {
      throw PluginFailure(
        "\(model.info.path) is a causal model (\(model.info.modelType)); pairrm needs an encoder")
    }
    self.model = model
    head = try PairHead(
      width: model.info.hiddenSize, path: model.info.path, tensor: model.tensor)
    let marks = try PairInput.Marks(find: model.id(of:))
    if let mark = marks.all.first(where: { Int($0) >= model.info.vocabularySize }) {
      throw PluginFailure(
        "\(model.info.path) has \(model.info.vocabularySize) token embeddings, and a mark of "
          + "PairRM's input is token \(mark); put the tokenizer.json that has <|source|>, "
          + "<|candidate|>, <|candidate1|> and <|candidate2|> beside the weights")
    }
    input = PairInput(
      marks: marks, sourceMaxLength: sourceMaxLength, candidateMaxLength: candidateMaxLength)
  }

  func rank(_ queries: [Query]) throws {
    var sequences: [PairInput.Pair] = []
    var known: [[Int32]: Int] = [:]
    var places: [[Int]] = []
    for query in queries {
      let pairs = try pairs(query)
      places.append(
        pairs.map { pair in
          if let place = known[pair.ids] { return place }
          known[pair.ids] = sequences.count
          sequences.append(pair)
          return sequences.count - 1
        })
    }
    let states = try model.hidden([
      TextModel.Group(sequences: sequences.map { TextModel.Rows(ids: $0.ids, rows: $0.rows) })
    ])
    let width = head.width
    let scores = states[0].sequences.map { rows in
      head.difference(
        source: rows[..<width], first: rows[width..<2 * width], second: rows[(2 * width)...])
    }
    for (query, places) in zip(queries, places) { write(places.map { scores[$0] }, to: query) }
  }

  /// The ordered pairs (i, j), i ≠ j, row by row.
  private func pairs(_ query: Query) throws -> [PairInput.Pair] {
    let text = Conversation.text(query.messages.map { (role: $0.role, content: $0.content) })
    let prompt = try model.encode(PairInput.cleaned(text))
    let answers = try query.responses.map { try model.encode(PairInput.cleaned($0)) }
    let source = input.source(prompt)
    let candidates = input.candidates(answers, besideSource: source.count)
    for answer in answers.indices
    where source.count < prompt.count + PairInput.frame
      || candidates[answer].count < answers[answer].count + PairInput.frame
    {
      query.markTruncated(answer)
    }
    return candidates.indices.flatMap { i in
      candidates.indices.filter { $0 != i }.map {
        input.pair(source, candidates[i], candidates[$0])
      }
    }
  }

  /// - Parameter scores: of the ordered pairs, row by row, without the diagonal.
  private func write(_ scores: [Double], to query: Query) {
    let n = query.count
    func raw(_ i: Int, _ j: Int) -> Double {
      i == j ? 0 : scores[i * (n - 1) + (j < i ? j : j - 1)]
    }
    for i in 0..<n {
      for j in 0..<n {
        query.c.raw[i * n + j] = raw(i, j)
        query.c.pairwise[i * n + j] = logistic((raw(i, j) - raw(j, i)) / 2)
      }
      query.c.score?[i] = (0..<n).reduce(0) { $0 + raw(i, $1) - raw($1, i) } / Double(n)
    }
  }
}
