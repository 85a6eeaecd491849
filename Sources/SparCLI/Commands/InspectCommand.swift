import ArgumentParser
import SparDiagnostics
import SparEvaluation
import SparStore

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what an HDF5 file of a run holds: groups, datasets, attributes.",
    discussion: """
      Of a preference table it also tells what the ranker is like: circles, winners by other rules \
      than the score (Copeland, Borda, Nash), dependence on the order, bias to length, endings. \
      Lengths and endings need the candidates that were ranked. With --against it tells how far both \
      rankers agree, and how well this one's probabilities foretell the other's verdicts.
      """)

  @Argument(help: "candidates.h5, preferences.h5, a checkpoint…", completion: .file())
  var file: String

  @Option(
    help: "The answers that were ranked. (default: the file that the preferences name)",
    completion: .file())
  var candidates: String?

  @Option(
    help: """
      Another preference table of the same answers: how far do the rankers agree, and are this one's \
      probabilities calibrated to the other's verdicts?
      """,
    completion: .file())
  var against: String?

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  private struct Node: Encodable {
    var name: String
    var type: String?
    var shape: [Int]?
    var bytes: Int?
    var attributes: [String: String]
    var children: [Node]
    var diagnostics: TableDiagnostics?
    /// Of the rankers of a mix, two by two.
    var mix: [NamedAgreement]?
    var agreement: RankerAgreement?
    var calibrationAgainstVerdicts: VerdictCalibration?

    init(_ node: HDF5Outline.Node) {
      name = node.name
      type = node.dataset?.type
      shape = node.dataset?.shape
      bytes = node.dataset?.storedBytes
      attributes = node.attributes.mapValues(\.description)
      children = node.children.map(Node.init)
    }
  }

  func run() throws {
    let outline = try HDF5Outline(file)
    var root = Node(outline.root)
    let schema = outline.root.attributes["schema"]
    guard schema == .string(PreferencesFile.schema.name) else {
      guard candidates == nil, against == nil else {
        throw UsageError(
          "--candidates and --against belong to a preference table; \(file) holds "
            + (schema?.description ?? "no schema of Spar's"))
      }
      if json { return try Terminal.json(root) }
      return try Terminal.line(String(outline.text.dropLast()))
    }
    let table = try RankedTable.read(file, candidates: candidates)
    let diagnostics = RankingDiagnostics(table)
    let other = try against.map { try RankedTable.read($0, candidates: candidates) }
    let agreement = other.map { RankerAgreement(table.prompts, $0.prompts) }
    let verdicts = other.map { VerdictCalibration(table, verdictsOf: $0) }
    if json {
      root.diagnostics = diagnostics.table
      if !diagnostics.agreements.isEmpty { root.mix = diagnostics.agreements }
      root.agreement = agreement
      root.calibrationAgainstVerdicts = verdicts
      return try Terminal.json(root)
    }
    try Terminal.line(outline.text)
    for line in diagnostics.lines { try Terminal.line(line) }
    if let reason = table.withoutCandidates {
      try Terminal.line("length: not known, \(reason)")
    }
    if let against, let agreement, let verdicts {
      for line in agreement.lines { try Terminal.line("against \(against): \(line)") }
      for line in verdicts.lines { try Terminal.line(line) }
    }
  }
}
