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

  init(_ path: String, _ options: DataOptions, encoder: RankerEncoder) throws {
    let reader = try options.reader(path)
    while let (row, form) = try reader.nextWithForm() {
      let comparison = try ComparisonRow(row, form: form)
      let outcome = try encoder.add(
        prompt: comparison.messages, chosen: comparison.chosen, rejected: comparison.rejected,
        place: "\(row.place.path), \(row.place)", to: &data)
      switch outcome {
      case .added, .truncated: labelled.append(LabelledComparison(comparison))
      case .promptTooLong, .identical: leftOut += 1
      }
    }
    guard !labelled.isEmpty else { throw RankerTrainingError.noPairs(path: path) }
  }
}

extension LabelledComparison {
  init(_ comparison: ComparisonRow) {
    let row = comparison.row
    self.init(
      name: row["id"]?.string ?? "\(row.place)", subset: row["subset"]?.string ?? "",
      messages: comparison.messages.map { (role: $0.role, content: $0.content) },
      chosen: comparison.chosen, rejected: comparison.rejected)
  }
}
