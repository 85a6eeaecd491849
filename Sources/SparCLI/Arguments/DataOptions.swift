import ArgumentParser
import SparData

/// How data files are read.
struct DataOptions: ParsableArguments {
  @Option(
    name: .customLong("column"),
    help: ArgumentHelp(
      "Take a column from one of another name: prompt=question; may be repeated.",
      valueName: "name=column"))
  var columns: [String] = []

  @Option(
    name: .customLong("sample-seed"),
    help: ArgumentHelp(
      "Draw the fractions of a mixture by this seed, instead of taking the first rows.",
      valueName: "seed"))
  var sampleSeed: UInt64?

  static let names: Set = ["column", "sample-seed"]

  var isGiven: Bool { !columns.isEmpty || sampleSeed != nil }

  func mapping() throws -> ColumnMapping { try Self.mapping(columns) }

  static func mapping(_ columns: [String]) throws -> ColumnMapping {
    do {
      return try ColumnMapping(columns)
    } catch {
      throw UsageError(error.description)
    }
  }

  func mixture(_ text: String) throws -> DataMixture {
    let mixture = try DataMixture(text, choice: sampleSeed.map { .sample(seed: $0) } ?? .first)
    guard sampleSeed == nil || mixture.sources.contains(where: { $0.fraction < 1 }) else {
      throw UsageError(
        "--sample-seed draws fractions of data, and all of \(text) is taken",
        hint: "write a fraction behind a source: a.jsonl:0.5")
    }
    return mixture
  }

  func reader(_ text: String) throws -> MixtureReader {
    MixtureReader(try mixture(text), mapping: try mapping())
  }
}
