import ArgumentParser
import Foundation
import SparPipeline
import SparSweeps

struct RunCommand: RecipeCommand {
  static let uses =
    SettingTable.all.map(\.name).filter { !$0.hasPrefix("generate.frac_len") }
    .filter { $0 != "generate.data_frac" } + ["objective.", "ranker.", "evaluate.check."]
  static let options = SweepOptions.names.union(StoreOptions.names).union(["restart-from"])
  static let switches = SweepOptions.switches.union(["show"])

  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the whole loop of a recipe; started again, it goes on.",
    discussion: """
      For every iteration: generate answers to fresh prompts, rank them, train on the preferences, \
      evaluate on held-out prompts against the base model. Results are in output_dir (run.json, \
      report.md, iteration-1/…). Finished stages are skipped; a stage made with other settings is \
      an error. With --vary, or `vary:` in the recipe, this is `spar sweep`. --plan prints the \
      stages with memory and time, also where models and data are not here yet. A recipe with \
      `compare_rankers:` trains rankers side by side instead (docs/recipes/cyclic.yaml).

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
    let file = try RecipeFile(path: recipe)
    if file.rankerComparison != nil { return try compareRankers(file) }
    let resolved = try settings.resolve(recipe: recipe, for: Self.self, common: common)
    let restart = try restartFrom.map { try RestartPoint($0) }
    if show {
      try refuse(
        ["restart-from": restartFrom, "store": sharing.store, "until": sharing.until],
        because: "changes what a run does, and --show runs nothing")
      if sweep.plan { throw UsageError("--show and --plan are two questions; ask one at a time") }
    }
    let block = try sweep.block(recipe)
    try refusePlanSettings(resolved, isRead: show || sweep.plan && block.isEmpty)
    if !block.isEmpty, !show {
      try refuse(["restart-from": restartFrom, "store": sharing.store, "until": sharing.until])
      return try SweepSession(
        recipe: recipe, resolved: resolved, block: block, options: sweep, common: common
      ).run()
    }
    if sweep.baseline != nil || sweep.jobs > 1 {
      throw SweepError.nothingVaries(recipe: recipe)
    }
    if sweep.plan, !show {
      try refuse(["restart-from": restartFrom, "store": sharing.store, "until": sharing.until])
      return try plan(resolved)
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

  private func compareRankers(_ file: RecipeFile) throws {
    try refuse(
      ["restart-from": restartFrom, "store": sharing.store, "until": sharing.until],
      because: "is for self-play, and \(recipe) compares rankers")
    guard !show, !sweep.isGiven, !settings.isGiven else {
      throw UsageError(
        "\(recipe) compares rankers; what it does stands in the recipe alone",
        hint: "of the flags it takes --backend, --threads, --plugin-path and --json")
    }
    try RankerComparisonSession(RankerComparisonRecipe(file), common: common).run()
  }

  /// These belong to one run.
  private func refuse(
    _ options: [String: String?], because given: String? = nil
  ) throws {
    let reason =
      given
      ?? (sweep.plan
        ? "changes what a run does, and --plan runs nothing"
        : "is for a single run, and this recipe or command line varies")
    for (name, value) in options.sorted(by: { $0.key < $1.key }) where value != nil {
      throw UsageError("--\(name) \(reason)")
    }
  }

  /// What only a forecast reads, and somebody gave on the command line.
  private func refusePlanSettings(_ resolved: ResolvedRecipe, isRead: Bool) throws {
    guard !isRead else { return }
    for setting in SettingTable.all where setting.stage == .plan {
      switch resolved.origin(of: setting.name) {
      case .set, .flag:
        throw UsageError("\(setting.name) is read by --plan only", hint: "give --plan, too")
      case .preset, .recipe, .recipePreset, .axis: break
      }
    }
  }

  private func plan(_ resolved: ResolvedRecipe) throws {
    let host = common.plugins.host(threads: resolved.recipe.run.threads)
    let forecast = try RunForecast(resolved, host: host) {
      let runtime = try common.runtime(resolved.recipe, host: host)
      return try MachineRates.measure(runtime.backend, threads: runtime.threads)
    }
    guard !common.json else { return try Terminal.json(forecast) }
    for text in forecast.lines(Terminal.columns) { try Terminal.line(text) }
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
