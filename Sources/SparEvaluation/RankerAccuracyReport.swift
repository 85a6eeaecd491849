import Foundation
import SparStore

/// How a ranker does on labelled comparisons, by kind, and whether length explains it: accuracy.json.
public struct RankerAccuracyReport: Codable, Equatable, Sendable {
  /// Comparisons of one subset, such as one kind of corruption.
  public struct Kind: Codable, Equatable, Sendable {
    public var name: String
    public var comparisons: Int
    public var accuracy: RankerAccuracy.Share
    /// What "the longer answer wins" has right of the same comparisons.
    public var longerWins: RankerAccuracy.Share
  }

  public var ranker: String
  public var comparisons: Int
  public var failed: Int
  public var accuracy: RankerAccuracy.Share
  public var longerWins: RankerAccuracy.Share
  /// Share of comparisons of answers of different length in which the ranker prefers the longer;
  /// nil where there are none.
  public var prefersLonger: Double?
  /// In order of first appearance.
  public var kinds: [Kind]

  /// - Precondition: `accuracy` is of `rows`, of which there are some.
  public init(
    _ rows: [LabelledComparison], _ found: RankerAccuracy, ranker: String, bootstrap: Bootstrap
  ) {
    precondition(!rows.isEmpty && rows.count == found.results.count, "accuracy of these rows")
    self.ranker = ranker
    comparisons = rows.count
    failed = found.failed
    func share(_ values: [Double]) -> RankerAccuracy.Share {
      RankerAccuracy.Share(
        value: values.reduce(0, +) / Double(values.count), interval: bootstrap.interval(of: values))
    }
    accuracy = share(found.results)
    longerWins = share(found.longer)
    // Right where the longer one is the better, or wrong where it is the worse.
    let told = zip(found.results, found.longer).filter { $0 != 0.5 && $1 != 0.5 }
    if !told.isEmpty {
      prefersLonger = Double(told.count { $0 == $1 }) / Double(told.count)
    }
    var order: [String] = []
    var places: [String: [Int]] = [:]
    for (place, row) in rows.enumerated() {
      if places[row.subset] == nil { order.append(row.subset) }
      places[row.subset, default: []].append(place)
    }
    kinds = order.map { name in
      let own = places[name] ?? []
      return Kind(
        name: name, comparisons: own.count, accuracy: share(own.map { found.results[$0] }),
        longerWins: share(own.map { found.longer[$0] }))
    }
  }

  public static func read(_ path: String) throws -> RankerAccuracyReport {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Keys in alphabetical order and in snake_case.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try AtomicFile.writeBytes(to: path, doing: "writing the ranker's accuracy") {
      try $0.write(text)
    }
  }
}
