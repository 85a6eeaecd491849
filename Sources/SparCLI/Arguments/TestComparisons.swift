import SparData
import SparEvaluation
import SparPipeline
import SparRankerTraining

/// Labelled comparisons that a finished ranker is asked about: as ids and as texts, row by row.
struct TestComparisons {
  private(set) var data = RankerData()
  /// One for each pair of `data`.
  private(set) var labelled: [LabelledComparison] = []
  /// Rows that cannot be compared: equal answers, or a prompt that fills the limit.
  private(set) var leftOut = 0

  init(_ path: String, _ options: DataOptions, encoder: any ComparisonEncoder) throws {
    let reader = try options.reader(path)
    while let (row, form) = try reader.nextWithForm() {
      let comparison = try ComparisonRow(row, form: form)
      let outcome = try encoder.add(
        prompt: comparison.messages, chosen: comparison.chosen, rejected: comparison.rejected,
        probability: 1, margin: 0, place: "\(row.place.path), \(row.place)", to: &data)
      switch outcome {
      case .added, .truncated: labelled.append(comparison.labelled)
      case .promptTooLong, .identical: leftOut += 1
      }
    }
    guard !labelled.isEmpty else { throw RankerTrainingError.noPairs(path: path) }
  }
}
