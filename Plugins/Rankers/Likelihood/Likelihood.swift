import CSparPlugin
import Glibc
import SparPluginKit

/// Prefers the answer that the prompt makes more likely: pointwise mutual information of prompt
/// and answer under a language model.
///
///     score = [log p(y | x) - w log p(y | nothing)] / |y|^g
///
/// "Nothing" is one empty user message; |y| counts the end token.  w > 0 takes away what makes
/// text likely after any prompt: fluency, brevity, repetition.  The first tokens of an answer owe
/// most to the prompt, so g = 1 (the mean) favours short answers and g = 0 (the sum) long ones.
/// Source of the difference: Li et al. 2016, arXiv:1510.03055.
final class Likelihood: Ranker {
  let model: LanguageModel
  let scale: Double
  let unconditionalWeight: Double
  let lengthExponent: Double

  init(
    model: LanguageModel, scale: Double, unconditionalWeight: Double, lengthExponent: Double
  ) {
    self.model = model
    self.scale = scale
    self.unconditionalWeight = unconditionalWeight
    self.lengthExponent = lengthExponent
  }

  func rank(_ queries: [Query]) throws {
    let answers = queries.flatMap { query in (0..<query.count).map { query.c.responses[$0] } }
    guard !answers.isEmpty else { return }
    let (conditional, unconditional) = try logProbabilities(queries, answers)
    var row = 0
    for query in queries {
      let scores = (row..<row + query.count).map { i in
        conditional[i] - unconditionalWeight * unconditional[i]
      }
      query.write(scores: scores, scale: scale)
      row += query.count
    }
  }

  /// Normalised log-probabilities of all answers of all queries, after their prompts and after an
  /// empty message (zeros where the weight is 0), from one call of the model.
  private func logProbabilities(
    _ queries: [Query], _ answers: [spar_text]
  ) throws -> (conditional: [Double], unconditional: [Double]) {
    let n = answers.count
    let asksUnconditional = unconditionalWeight != 0
    var sums = [Double](repeating: 0, count: 2 * n)
    var tokens = [Int64](repeating: 0, count: 2 * n)
    var role = "user".utf8CString
    try role.withUnsafeMutableBufferPointer { role in
      try sums.withUnsafeMutableBufferPointer { sums in
        try tokens.withUnsafeMutableBufferPointer { tokens in
          try answers.withUnsafeBufferPointer { answers in
            // The content points at the role's terminator, a valid address of zero bytes.
            let user = spar_text(p: role.baseAddress, n: 4)
            let empty = [
              spar_message(role: user, content: spar_text(p: role.baseAddress.map { $0 + 4 }, n: 0))
            ]
            try empty.withUnsafeBufferPointer { empty in
              var items: [spar_lm_item] = []
              var row = 0
              for query in queries where query.count > 0 {
                var item = spar_lm_item()
                item.messages = query.c.messages
                item.n_messages = query.c.n_messages
                item.completions = query.c.responses
                item.n = query.c.k
                item.sum = sums.baseAddress.map { $0 + row }
                item.n_tokens = tokens.baseAddress.map { $0 + row }
                items.append(item)
                row += query.count
              }
              if asksUnconditional {
                var item = spar_lm_item()
                item.messages = empty.baseAddress
                item.n_messages = 1
                item.completions = answers.baseAddress
                item.n = Int64(n)
                item.sum = sums.baseAddress.map { $0 + n }
                item.n_tokens = tokens.baseAddress.map { $0 + n }
                items.append(item)
              }
              try model.score(items)
            }
          }
        }
      }
    }
    let values = zip(sums, tokens).map { sum, tokens in
      sum / pow(Double(max(tokens, 1)), lengthExponent)
    }
    return (Array(values[..<n]), Array(values[n...]))
  }
}
