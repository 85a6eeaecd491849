import ArgumentParser
import Foundation
import SparPipeline
import SparSweeps

struct RunCommand: RecipeCommand {
  static let uses =
    SettingTable.all.map(\.name).filter { !$0.hasPrefix("generate.frac_len") }
    .filter { $0 != "generate.data_frac" } + ["objective.", "ranker."]
  static let options = SweepOptions.names.union(StoreOptions.names).union(["restart-from"])
  static let switches = SweepOptions.switches.union(["show"])

  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the whole loop of a recipe; started again, it goes on.",
    discussion: """
      For every iteration: generate answers to fresh prompts, rank them, train on the preferences, \
      evaluate on held-out prompts against the base model. Results are in output_dir (run.json, \
      report.md, iteration-1/…). Finished stages are skipped; a stage made with other settings is \
      an error. With --vary, or `vary:` in the recipe, this is `spar sweep`.

      \(settingsHelp)
      """)

  @Argument(help: "A recipe, such as docs/recipes/smollm2-sppo.yaml.", completion: .file())
  var recipe: String

  @Flag(help: "Print every setting with its value and who decided it; run nothing.")
  var show = false

  @Option(
    help: ArgumentHelp(
      "Throw away this stage and what came after it, then go on.", valueName: "[iteration/]stage"))
  var restartFrom: String?

  @OptionGroup var sharing: StoreOptions
  @OptionGroup var sweep: SweepOptions
  @OptionGroup var settings: RecipeOptions
  @OptionGroup var common: CommonOptions

  func run() throws {
    let resolved = try settings.resolve(recipe: recipe, for: Self.self, common: common)
    let restart = try restartFrom.map { try RestartPoint($0) }
    let block = try sweep.block(recipe)
    if !block.isEmpty, !show {
      try refuse(["restart-from": restartFrom, "store": sharing.store, "until": sharing.until])
      return try SweepSession(
        recipe: recipe, resolved: resolved, block: block, options: sweep, common: common
      ).run()
    }
    if sweep.plan || sweep.baseline != nil || sweep.jobs > 1 {
      throw SweepError.nothingVaries(recipe: recipe)
    }
    if restart != nil, sharing.store != nil {
      throw UsageError(
        "--restart-from cannot be used with --store: the stages would come back from the store",
        hint: "delete the stages' folders in the store; the same command then computes them anew")
    }
    sharing.followParent()
    let host = common.plugins.host(threads: resolved.recipe.run.threads)
    if show {
      try host.check(resolved.recipe)
      try print(resolved)
      return
    }
    let line = ProgressLine()
    defer { line.finish() }
    let run = try SelfPlayRun(
      resolved, host: host, interruption: Interrupts.interruption,
      sharing: sharing.sharing(resolved.recipe), until: sharing.until.map { try RunTarget($0) },
      // The process of a sweep that was killed may just be ending.
      patience: sharing.childOf == nil ? 0 : 10,
      makeRuntime: { try common.runtime(resolved.recipe, host: host) },
      observe: sharing.progress(line))
    if let restart { try restart.clear(run.directory) }
    let report = try run.run()
    line.finish()
    guard let report, sharing.childOf == nil else { return }
    if common.json {
      try Terminal.json(report)
    } else {
      try Terminal.line(report.text)
    }
  }

  /// These belong to one run.
  private func refuse(_ options: [String: String?]) throws {
    for (name, value) in options.sorted(by: { $0.key < $1.key }) where value != nil {
      throw UsageError("--\(name) is for a single run, and this recipe or command line varies")
    }
  }

  private func print(_ resolved: ResolvedRecipe) throws {
    if common.json {
      struct Shown: Encodable {
        var value: String
        var origin: String
      }
      try Terminal.json(
        Dictionary(
          resolved.rows.map { ($0.name, Shown(value: $0.value, origin: "\($0.origin)")) },
          uniquingKeysWith: { first, _ in first }))
      return
    }
    let rows = resolved.rows.map { row in
      [row.name, row.value.isEmpty ? "(none)" : row.value, "\(row.origin)"]
    }
    for text in Terminal.columns(rows) { try Terminal.line(text) }
  }
}
