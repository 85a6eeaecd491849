import SparData
import SparRankerTraining
import SparStore

/// Comparisons of data files as a ranker reads them, and what had to be left out.
public struct RankerComparisons {
  public var path: String
  public var data = RankerData()
  /// Rows that were not used, or not whole, by reason.
  public private(set) var skipped: [String: Int] = [:]
  /// Identity of the files.
  public private(set) var digest = ""

  /// - Parameter path: as the user named the data.
  public init(
    _ path: String, _ mixture: DataMixture, mapping: ColumnMapping, encoder: any ComparisonEncoder
  ) throws {
    self.path = path
    digest = try mixture.files().map { try fileDigest($0) }.joined() + "\(mixture)"
    let reader = MixtureReader(mixture, mapping: mapping)
    while let (row, form) = try reader.nextWithForm() {
      try add(ComparisonRow(row, form: form), encoder)
    }
    guard !data.pairs.isEmpty else { throw RankerTrainingError.noPairs(path: path) }
  }

  /// Rows that were read before; `digest` stays empty.
  init(_ path: String, rows: some Sequence<ComparisonRow>, encoder: any ComparisonEncoder) throws {
    self.path = path
    for row in rows { try add(row, encoder) }
    guard !data.pairs.isEmpty else { throw RankerTrainingError.noPairs(path: path) }
  }

  private mutating func add(_ comparison: ComparisonRow, _ encoder: any ComparisonEncoder) throws {
    let row = comparison.row
    let outcome = try encoder.add(
      prompt: comparison.messages, chosen: comparison.chosen, rejected: comparison.rejected,
      probability: comparison.probability, margin: comparison.margin,
      place: "\(row.place.path), \(row.place)", to: &data)
    switch outcome {
    case .added: break
    case .truncated: skipped["cut at the end", default: 0] += 1
    case .promptTooLong: skipped["left out, the prompt alone is too long", default: 0] += 1
    case .identical: skipped["left out, both answers are the same", default: 0] += 1
    }
  }

  public var skippedText: String {
    skipped.sorted { $0.key < $1.key }.map { "\($0.value) comparisons \($0.key)" }
      .joined(separator: "; ")
  }
}
