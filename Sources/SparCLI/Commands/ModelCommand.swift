import ArgumentParser
import Foundation
import SparHost
import SparModel

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Look at models, fetch, import and export them.",
    discussion: """
      A model is a known name, a .gguf file, a Hugging Face folder or an HDF5 checkpoint.

        spar model info smollm2-135m
        spar model export checkpoints/run/iteration-3/train/step-120.h5 my-model
        spar model export my-model my-model.gguf --type q8_0
        spar model import my-model.gguf my-model.h5
      """,
    subcommands: [Info.self, Fetch.self, Import.self, Export.self])

  struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Bring a known model into the cache, or check a model that is here.",
      discussion: "Known models: "
        + KnownModel.all.map { "\($0.name) (\($0.bytes / 1_000_000) MB, \($0.license))" }
        .joined(separator: ", ") + """
          . The cache is $SPAR_CACHE, else ~/.cache/spar; the SHA-256 is checked. A path is opened \
          and described, and nothing is copied. Prints the path on stdout.
          """)

    @Argument(
      help: "A known model, or a path.", completion: .list(KnownModel.all.map(\.name)))
    var name: String

    func run() throws {
      guard FileManager.default.fileExists(atPath: name) else {
        let here = KnownModel.named(name).map { FileManager.default.fileExists(atPath: $0.path) }
        let path = try KnownModel.fetch(name)
        Terminal.error(here == true ? "\(name) is here, its SHA-256 is right" : "fetched \(name)")
        return try Terminal.line(path)
      }
      let facts = try ModelFacts(try ModelFiles.open(name))
      let size = Figures.scaled(Double(facts.weights.reduce(0) { $0 + $1.bytes }), "B")
      Terminal.error(
        "\(name) is used where it is: \(facts.format), \(facts.modelType), "
          + "\(Figures.scaled(Double(facts.parameters))) parameters, \(size)")
      try Terminal.line(name)
    }
  }
}

/// What export and import share.
struct ModelWritingOptions: ParsableArguments {
  @Flag(
    name: [.customLong("overwrite"), .customLong("force")], help: "Replace what is there.")
  var overwrite = false

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  /// Draws a bar where writing takes its time, and stops on Ctrl-C.
  func progress(_ name: String, _ body: (@escaping ExportProgress) throws -> ExportSummary)
    throws -> ExportSummary
  {
    let line = ProgressLine()
    let show = line.stage(name)
    let start = ContinuousClock.now
    defer { line.finish() }
    return try body { done, total in
      if Interrupts.interruption.isRequested { throw ExportError.interrupted }
      guard ContinuousClock.now - start > .seconds(1) else { return }
      show(
        Progress(
          stage: name, done: Double(done), total: Double(total), unit: "bytes",
          detail: "\(done / 1_000_000) of \(total / 1_000_000) MB"))
    }
  }

  func report(_ summary: ExportSummary, to target: String) throws {
    for note in summary.notes { Terminal.error("spar: note: \(note)") }
    if json { return try Terminal.json(summary) }
    let types = summary.types.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    try Terminal.line(
      "\(target): \(Figures.scaled(Double(summary.bytes), "B")) of weights ("
        + types.map { "\($0.value) \($0.key)" }.joined(separator: ", ") + " tensors)")
    if summary.files != [target] {
      try Terminal.line(summary.files.joined(separator: ", "))
    }
  }
}
