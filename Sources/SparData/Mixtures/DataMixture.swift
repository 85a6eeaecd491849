import Foundation
import SparTensor

/// Several sources with the part that is taken of each: `a.parquet:0.5,b.jsonl`.
///
/// The sources follow one another in the order given; whoever trains shuffles.
public struct DataMixture: Equatable, Sendable {
  public struct Source: Equatable, Sendable {
    /// A file, a folder or a pattern.
    public var path: String
    /// Of its rows, in (0, 1].
    public var fraction: Double

    public init(path: String, fraction: Double = 1) {
      self.path = path
      self.fraction = fraction
    }
  }

  /// Which int(fraction · n) of n rows are taken, in their order.
  public enum Choice: Equatable, Sendable {
    /// The first, as alignment-handbook and SPPO do.
    case first
    /// Drawn without replacement, keyed by the seed and the source's place.
    case sample(seed: UInt64)
  }

  public var sources: [Source]
  public var choice: Choice

  public init(sources: [Source], choice: Choice = .first) {
    self.sources = sources
    self.choice = choice
  }

  /// Reads `PATH[:FRACTION],…`; a text that is the path of a file or folder is that one source.
  public init(_ text: String, choice: Choice = .first) throws(DataError) {
    self.choice = choice
    sources = []
    if FileManager.default.fileExists(atPath: text) {
      sources = [Source(path: text)]
      return
    }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let part = part.trimmingCharacters(in: .whitespaces)
      guard !part.isEmpty else {
        throw DataError(
          path: text, what: "a source is empty", cure: "write a.parquet:0.5,b.jsonl:1.0")
      }
      guard !FileManager.default.fileExists(atPath: part), let colon = part.lastIndex(of: ":"),
        let fraction = Double(part[part.index(after: colon)...])
      else {
        sources.append(Source(path: part))
        continue
      }
      guard fraction > 0, fraction <= 1 else {
        throw DataError(
          path: text, what: "the fraction \(fraction) of \(part[..<colon])",
          cure: "a fraction is above 0 and at most 1")
      }
      sources.append(Source(path: String(part[..<colon]), fraction: fraction))
    }
  }

  /// Every file of every source.
  public func files() throws(DataError) -> [String] {
    var files: [String] = []
    for source in sources { files += try DataFiles.find(source.path) }
    return files
  }

  /// Rows of the files that `path` means; Parquet says it in its footer, text is read through.
  public static func count(_ path: String) throws(DataError) -> Int {
    var total = 0
    for file in try DataFiles.find(path) {
      if try DataFormat.of(file) == .parquet {
        total += try ParquetReader(file).rows
        continue
      }
      let reader = try DataFormat.open(file)
      while try reader.next() != nil { total += 1 }
    }
    return total
  }
}

/// The rows of a mixture, source after source, with TRL's columns unless told otherwise.
public final class MixtureReader: RowReader {
  /// What was taken of a source.
  public struct Count: Equatable, Sendable, Codable {
    public var path: String
    public var form: String
    public var rows: Int
    /// Rows that the source has; nil where all were taken, so that nobody counted.
    public var of: Int?
  }

  private let mixture: DataMixture
  private let mapping: ColumnMapping
  private let isCanonical: Bool
  private let takesBrokenText: Bool
  private var index = -1
  private var reader: FormReader?
  private var rowsLeft: Int?
  private var rowsSeen = 0
  private var random = Random(seed: 0, stage: .shuffle)
  /// Of the sources so far.
  public private(set) var counts: [Count] = []

  /// - Parameters:
  ///   - isCanonical: false leaves the columns of other forms as they are.
  ///   - takesBrokenText: gives rows whose bytes are not UTF-8, with U+FFFD in their place, to who
  ///     looks at `hasBrokenText`; else such a row is an error, for its text is another one.
  public init(
    _ mixture: DataMixture, mapping: ColumnMapping = ColumnMapping(), isCanonical: Bool = true,
    takesBrokenText: Bool = false
  ) {
    self.mixture = mixture
    self.mapping = mapping
    self.isCanonical = isCanonical
    self.takesBrokenText = takesBrokenText
  }

  /// The form of the row that was last given.
  public var form: DataForm? { reader?.form }
  /// The columns of its source, after mapping.
  public var columns: [String] { reader?.columns ?? [] }

  public func next() throws(DataError) -> DataRow? {
    try nextWithForm()?.row
  }

  /// The next row and its form; nil behind the last.
  public func nextWithForm() throws(DataError) -> (row: DataRow, form: DataForm)? {
    while true {
      if let reader, rowsLeft != 0, let row = try reader.next(), let form = reader.form {
        rowsSeen += 1
        guard isTaken() else { continue }
        if row.hasBrokenText, !takesBrokenText {
          throw row.error(FindingKind.invalidUTF8.meaning, cure: FindingKind.invalidUTF8.cure)
        }
        counts[index].rows += 1
        counts[index].form = form.rawValue
        return (row, form)
      }
      guard index + 1 < mixture.sources.count else { return nil }
      try open(index + 1)
    }
  }

  private func open(_ place: Int) throws(DataError) {
    let source = mixture.sources[place]
    var total: Int?
    rowsLeft = nil
    if source.fraction < 1 {
      let count = try DataMixture.count(source.path)
      total = count
      rowsLeft = Int(source.fraction * Double(count))
    }
    counts.append(Count(path: source.path, form: "", rows: 0, of: total))
    rowsSeen = 0
    if case .sample(let seed) = mixture.choice {
      random = Random(seed: seed, stage: .shuffle, iteration: -1, item: place)
    }
    reader = FormReader(
      try FilesReader(path: source.path), mapping: mapping, isCanonical: isCanonical)
    index = place
  }

  /// Sampling without replacement in one pass: a row is taken with probability (wanted left) /
  /// (rows left).  Source: Knuth, TAOCP 2, algorithm 3.4.2 S.
  private func isTaken() -> Bool {
    guard let wanted = rowsLeft, let total = counts[index].of else { return true }
    if case .sample = mixture.choice {
      let left = total - rowsSeen + 1
      guard random.uniform() * Double(left) < Double(wanted) else { return false }
    }
    rowsLeft = wanted - 1
    return true
  }
}
