import ArgumentParser
import SparData
import SparModel
import SparText

struct DataDoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Examine data for a model: what would train wrongly, and why.",
    discussion: """
      Tokens at the seam of prompt and answer, begin and end tokens, templates, lengths, empty \
      and equal answers, probabilities, repetitions, held-out prompts. Errors end with exit code \
      1; `spar train` runs the same checks and refuses errors.

      FINDINGS
      \(FindingKind.allCases.map { kind in
        "  \(kind.rawValue) (\(kind.severity.rawValue))\n      \(kind.meaning); \(kind.cure)"
      }.joined(separator: "\n"))
      """)

  @Argument(help: "A file, a folder, a pattern or a mixture.", completion: .file())
  var data: String

  @Option(
    help: "The model that would be trained; its weights are not read. (default: no such checks)",
    completion: .file())
  var model: String?

  @Option(
    help: "Data whose prompts must not be trained on; --column and --sample-seed hold for it, too.",
    completion: .file())
  var heldOut: String?

  @Option(help: "Tokens of prompt and answer together, as --model cuts them. (default: 1024)")
  var maxLength: Int?

  @Flag(help: "chosen_probs, …_win and …_lose of pairs are log-odds: the published data for GPO.")
  var logOdds = false

  @OptionGroup var options: DataOptions

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  func validate() throws {
    guard let maxLength else { return }
    if maxLength < 2 {
      throw ValidationError("--max-length is \(maxLength); it must be at least 2")
    }
    if model == nil {
      throw ValidationError("--max-length counts a model's tokens, and no --model is given")
    }
  }

  func run() throws {
    var limits = DataDoctor.Options()
    limits.readsLogOdds = logOdds
    if let maxLength { limits.maxLength = maxLength }
    var chat: ChatEncoder?
    if let model {
      let files = try ModelFiles.open(model)
      limits.maxPositions = try files.shape().maxPositions
      limits.endIDs = try files.endIDs()
      if files.storedTokenizer != nil { chat = try files.chat() }
    }
    let doctor = DataDoctor(chat: chat, options: limits)
    let readers = try options.openReaders([data] + (heldOut.map { [$0] } ?? []))
    if heldOut != nil { try doctor.learnHeldOut(readers[1]) }
    let report = try doctor.examine(readers[0])
    guard report.rows > 0 else {
      throw DataError(path: data, what: "there is no row", cure: "name data that have some")
    }
    if json {
      try Terminal.json(report)
    } else {
      try Self.show(report)
    }
    if !report.errors.isEmpty { throw ExitCode.failure }
  }

  private static func show(_ report: DoctorReport) throws {
    let held = report.heldOutRows.map { ", \($0) held-out rows" } ?? ""
    try Terminal.line(
      "\(report.rows) rows, \(report.form) (\(report.columns.joined(separator: ", ")))\(held)")
    for finding in report.findings {
      try Terminal.line("")
      try Terminal.line(
        "\(finding.severity.rawValue): \(finding.name.rawValue): \(finding.meaning)")
      let more = finding.count > finding.rows.count ? ", …" : ""
      try Terminal.line(
        "  \(finding.count) of \(report.rows) rows: \(finding.rows.joined(separator: "; "))\(more)")
      if let detail = finding.detail { try Terminal.line("  first: \(detail)") }
      try Terminal.line("  cure: \(finding.cure)")
    }
    let errors = report.errors.count
    let warnings = report.findings.count - errors
    try Terminal.line("")
    try Terminal.line(
      errors + warnings == 0 ? "nothing found" : "\(errors) errors, \(warnings) warnings")
  }
}
