import SparData
import SparRankerTraining
import SparStore

/// Comparisons of data files as a ranker reads them, and what had to be left out.
struct RankerRows {
  var path: String
  var data = RankerData()
  /// Rows that were not used, or not whole, by reason.
  var skipped: [String: Int] = [:]
  /// Identity of the files.
  var digest: String

  init(_ text: String, _ options: DataOptions, encoder: any ComparisonEncoder) throws {
    path = text
    let mixture = try options.mixture(text)
    digest = try mixture.files().map { try fileDigest($0) }.joined() + "\(mixture)"
    let reader = try options.reader(text)
    while let (row, form) = try reader.nextWithForm() {
      let comparison = try ComparisonRow(row, form: form)
      let probability = row["chosen_probs"]?.double ?? 1
      guard (0...1).contains(probability) else {
        throw row.error("chosen_probs is \(probability)", cure: "a probability is from 0 to 1")
      }
      let outcome = try encoder.add(
        prompt: comparison.messages, chosen: comparison.chosen, rejected: comparison.rejected,
        probability: probability,
        margin: row["margin"]?.double ?? 0, place: "\(row.place.path), \(row.place)", to: &data)
      switch outcome {
      case .added: break
      case .truncated: skipped["cut at the end", default: 0] += 1
      case .promptTooLong: skipped["left out, the prompt alone is too long", default: 0] += 1
      case .identical: skipped["left out, both answers are the same", default: 0] += 1
      }
    }
    guard !data.pairs.isEmpty else { throw RankerTrainingError.noPairs(path: text) }
  }

  var skippedText: String {
    skipped.sorted { $0.key < $1.key }.map { "\($0.value) comparisons \($0.key)" }
      .joined(separator: "; ")
  }
}
