import ArgumentParser
import SparData

struct DataConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write data as .jsonl or .parquet.",
    discussion: """
      Rows keep their columns; with --canonical they get TRL's (prompt, chosen, rejected, \
      completion, messages), whatever form they have. Memory does not grow with the data.
      """)

  @Argument(help: "A file, a folder, a pattern or a mixture.", completion: .file())
  var input: String

  @Argument(help: "The file to write: .jsonl or .parquet.", completion: .file())
  var output: String

  @OptionGroup var options: DataOptions

  @Flag(help: "Write TRL's columns.")
  var canonical = false

  @Option(
    help: ArgumentHelp("Shuffle the rows by this seed, within a window.", valueName: "seed"))
  var shuffle: UInt64?

  @Option(
    help: "Rows that a shuffle holds at a time; as many as there are = uniform. (default: 10000)")
  var window: Int?

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  func validate() throws {
    guard let window else { return }
    if window < 1 { throw ValidationError("--window is \(window); it must be at least 1") }
    if shuffle == nil { throw ValidationError("--window is for --shuffle, which is not given") }
  }

  private struct Result: Encodable {
    var output: String
    var rows: Int
    var sources: [MixtureReader.Count]
  }

  func run() throws {
    let mixture = try options.mixture(input)
    var files = OutputFiles()
    files.reads("<input>", try mixture.files())
    try files.writes("<output>", output)
    let reader = MixtureReader(
      mixture, mapping: try options.columns.mapping(), isCanonical: canonical)
    var rows: any RowReader = reader
    if let shuffle { rows = ShuffledRows(rows, seed: shuffle, window: window ?? 10_000) }
    let writer = try DataFormat.create(output)
    var count = 0
    while let row = try rows.next() {
      try writer.add(row)
      count += 1
    }
    try writer.finish()
    guard !json else {
      return try Terminal.json(Result(output: output, rows: count, sources: reader.counts))
    }
    try Terminal.line("\(output): \(count) rows")
  }
}
