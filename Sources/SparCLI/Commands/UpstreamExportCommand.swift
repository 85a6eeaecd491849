import ArgumentParser
import SparPipeline

struct UpstreamExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write candidates.h5 and preferences.h5 as the published code's files.",
    discussion: """
      In --output-dir: generated/NAME/responses_{p}.json; with --preferences also \
      ranking/NAME/0_0.npy and 0_0_table.npy, generated/NAME/probabilities.json and \
      train.parquet (with _table in their names unless the rule is upstream-score), and the \
      training data synthetic_data_…_score/train.parquet.

        spar upstream export --preferences preferences.h5 --name data-mistral-7b-sppo-iter1
      """)

  @Option(help: "The answers.", completion: .file())
  var candidates = "candidates.h5"

  @Option(help: "Their ranking. (default: none, answers alone)", completion: .file())
  var preferences: String?

  @Option(help: "What the published scripts call OUT.")
  var name = "data-spar-iter1"

  @Option(help: "The folder that the published scripts run in.", completion: .directory)
  var outputDir = "."

  @Flag(help: "Write log-odds in the place of probabilities, as for GPO.")
  var logOdds = false

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  func validate() throws {
    if name.isEmpty || name.contains("/") {
      throw ValidationError("--name is \"\(name)\"; it must be a name without \"/\"")
    }
    if logOdds, preferences == nil {
      throw ValidationError("--log-odds is about a ranking, and there is no --preferences")
    }
  }

  func run() throws {
    var export = UpstreamExport(folder: outputDir, name: name)
    export.writesLogOdds = logOdds
    let files = try export.write(candidates: candidates, preferences: preferences)
    guard !json else { return try Terminal.json(["files": files]) }
    for file in files { try Terminal.line("\(outputDir)/\(file)") }
  }
}
