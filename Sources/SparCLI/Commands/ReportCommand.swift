import ArgumentParser
import SparHost
import SparPipeline
import SparReport

extension ReportFormat: ExpressibleByArgument {}

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Compare the arms of a sweep, or runs: one page, offline.",
    discussion: """
      Takes one sweep, or one run or more. Runs are named by the settings in which they differ; \
      runs that differ in their seed alone repeat one arm. Points that are unfinished or failed \
      are named, and the rest is reported.

      The page holds win rates with bootstrap intervals, differences from a baseline with Holm's \
      correction, length beside win rate, effects of axes, training curves, answers before and \
      after, commands, settings, versions and digests. It needs no network.

        spar report checkpoints/sweep
        spar report checkpoints/sppo checkpoints/gpo --baseline objective.name=sppo
        spar report checkpoints/sweep -o points.csv
      """)

  @Argument(
    help: ArgumentHelp("A sweep's folder, or folders of runs.", valueName: "folder"),
    completion: .directory)
  var folders: [String]

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output = "report.html"

  @Option(help: "What to write. (default: by the file's ending: .html, .md, .csv)")
  var format: ReportFormat?

  @Option(
    help: """
      The arm that the others are compared with: its name, its values or one of its points. \
      (default: the sweep's, else the first)
      """)
  var baseline: String?

  @Option(help: "Heading. (default: the sweep's name, else the runs')")
  var title: String?

  @Option(parsing: .unconditional, help: "Held-out prompts whose answers are shown.")
  var examples = 6

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  func validate() throws {
    if folders.isEmpty { throw ValidationError("give the folder of a sweep or of a run") }
    if examples < 0 { throw ValidationError("--examples is \(examples); it must be at least 0") }
  }

  func run() throws {
    let format = try format ?? ReportFormat(output: output)
    let line = ProgressLine()
    defer { line.finish() }
    let show = line.stage("report")
    let start = ContinuousClock.now
    let comparison = try Comparison.read(folders, baseline: baseline, title: title) { done, all in
      // Most reports are read before a bar could be.
      guard ContinuousClock.now - start > .seconds(2) else { return }
      show(
        SparHost.Progress(stage: "report", done: Double(done), total: Double(all), unit: "runs"))
    }
    let report = Report(comparison, examples: examples)
    try report.write(format, to: output)
    line.finish()
    if json {
      try Terminal.json(report.figures(output: output))
      return
    }
    for text in report.summary { try Terminal.line(text) }
    for text in report.missing { Terminal.error("spar: warning: \(text)") }
    let (points, arms) = (comparison.points.count, comparison.arms.count)
    try Terminal.line(
      "\(output): \(points) point\(points == 1 ? "" : "s") in \(arms) arm\(arms == 1 ? "" : "s")")
  }
}
