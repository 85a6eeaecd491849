import ArgumentParser
import SparData

/// Columns under other names.
struct ColumnOptions: ParsableArguments {
  @Option(
    name: .customLong("column"),
    help: ArgumentHelp(
      "Take a column from one of another name: prompt=question; may be repeated.",
      valueName: "name=column"))
  var columns: [String] = []

  func mapping() throws -> ColumnMapping {
    do {
      return try ColumnMapping(columns)
    } catch {
      throw UsageError(error.description)
    }
  }
}

/// How data files are read.
struct DataOptions: ParsableArguments {
  @OptionGroup var columns: ColumnOptions

  @Option(
    name: .customLong("sample-seed"),
    help: ArgumentHelp(
      "Draw the fractions of a mixture by this seed, instead of taking the first rows.",
      valueName: "seed"))
  var sampleSeed: UInt64?

  static let names: Set = ["column", "sample-seed"]

  var isGiven: Bool { !columns.columns.isEmpty || sampleSeed != nil }

  func mixture(_ text: String) throws -> DataMixture { try mixtures([text])[0] }

  private func mixtures(_ texts: [String]) throws -> [DataMixture] {
    let choice = sampleSeed.map { DataMixture.Choice.sample(seed: $0) } ?? .first
    let mixtures = try texts.map { try DataMixture($0, choice: choice) }
    guard sampleSeed == nil || mixtures.contains(where: { $0.sources.contains { $0.fraction < 1 } })
    else {
      throw UsageError(
        "--sample-seed draws fractions of data, and all of \(texts.joined(separator: " and ")) "
          + "is taken", hint: "write a fraction behind a source: a.jsonl:0.5")
    }
    return mixtures
  }

  func reader(_ text: String) throws -> MixtureReader {
    MixtureReader(try mixture(text), mapping: try columns.mapping())
  }

  /// For who looks at data as they are, broken text included.  The options hold for each.
  func openReaders(_ texts: [String]) throws -> [MixtureReader] {
    let mapping = try columns.mapping()
    return try mixtures(texts).map {
      MixtureReader($0, mapping: mapping, takesBrokenText: true)
    }
  }
}
