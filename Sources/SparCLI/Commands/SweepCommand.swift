import ArgumentParser
import Foundation
import SparHost
import SparPipeline
import SparSweeps

struct SweepCommand: RecipeCommand {
  static let uses = RunCommand.uses.filter { !$0.hasPrefix("plan.") }
  static let options = SweepOptions.names
  static let switches = SweepOptions.switches

  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run a recipe at every point of its `vary:` block; started again, it goes on.",
    discussion: """
      Every point is decoded and checked before the first one runs. Stages that points have in \
      common are computed once: arms that differ in the objective share answers and ranking. \
      Results are in output_dir: sweep.json, sweep.log, points/p01/… (each a run), stages/. A \
      point that fails is reported, the others go on, and the exit code is 1. Values may be added \
      to axes later. docs/sweeps.md shows every form of `vary:`.

        spar sweep docs/recipes/ablation.yaml --plan
        spar sweep docs/recipes/ablation.yaml --jobs 2
        spar sweep RECIPE --vary objective.name=sppo,gpo --vary train.seed=1..3

      \(settingsHelp)
      """)

  @Argument(help: "A recipe, such as docs/recipes/ablation.yaml.", completion: .file())
  var recipe: String

  @OptionGroup var sweep: SweepOptions
  @OptionGroup var settings: RecipeOptions
  @OptionGroup var common: CommonOptions

  func run() throws {
    let resolved = try settings.resolve(recipe: recipe, for: Self.self, common: common)
    try SweepSession(
      recipe: recipe, resolved: resolved, block: sweep.block(recipe), options: sweep,
      common: common
    ).run()
  }
}

/// A sweep from its settings to its table, whichever command asked for it.
struct SweepSession {
  var recipe: String
  var resolved: ResolvedRecipe
  var block: VaryBlock
  var options: SweepOptions
  var common: CommonOptions

  func run() throws {
    let settings = resolved.recipe.run
    let threads =
      settings.threads > 0 ? settings.threads : ProcessInfo.processInfo.activeProcessorCount
    let host = common.plugins.host(threads: threads)
    var runtimes: [String: Runtime] = [:]
    func runtime(_ backend: String) throws -> Runtime {
      if let known = runtimes[backend] { return known }
      let made = try Runtime(host: host, backend: backend, threads: threads)
      runtimes[backend] = made
      return made
    }
    let plan = try SweepPlan(
      resolved, vary: block, recipe: recipe, baseline: options.baseline, host: host,
      backend: { try host.component(.backend, runtime($0).backend.name) })
    let store = try StageStore.existing(plan.folder + "/stages")
    let costs = try StageCosts(
      store?.entries() ?? [], stages: Set(plan.stages.map(\.stage.address.stage)),
      threads: threads,
      productRate: { try 1e9 * GemmBenchmark.squareRate(runtime(settings.backend).backend) })
    // Before the children need the memory.
    runtimes = [:]
    if options.plan {
      let outline = try SweepOutline(plan, store: store, costs: costs, wantedJobs: options.jobs)
      guard !common.json else { return try Terminal.json(outline) }
      for text in outline.lines(Terminal.columns) { try Terminal.line(text) }
      return
    }
    try run(plan, costs, threads: threads)
  }

  private func run(_ plan: SweepPlan, _ costs: StageCosts, threads: Int) throws {
    var children = SweepRun.Options()
    children.jobs = options.jobs
    children.threads = threads
    children.program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    children.arguments =
      common.plugins.pluginPath.flatMap { ["--plugin-path", $0] }
      + (common.plugins.noPlugins ? ["--no-plugins"] : [])
    let line = ProgressLine()
    defer { line.finish() }
    let sweep = try SweepRun(
      plan, recipe: recipe, command: ["spar"] + CommandLine.arguments.dropFirst(), costs: costs,
      options: children, interruption: Interrupts.interruption, observe: line.show)
    if sweep.jobs < options.jobs {
      Terminal.error("spar: memory allows \(sweep.jobs) points at a time, not \(options.jobs)")
    }
    let record = try sweep.run()
    line.finish()
    let figures = try SweepFigures(record, folder: plan.folder)
    if common.json {
      try Terminal.json(figures)
    } else {
      for text in Terminal.columns(figures.table) { try Terminal.line(text) }
      let computed = record.stages.count
      let used = record.stages.reduce(0) { $0 + $1.usedBy.count }
      try Terminal.line("")
      try Terminal.line("\(computed) stages computed, used \(used) times; \(plan.folder)/sweep.log")
    }
    let failed = record.points.filter { $0.status == .failed }
    for point in failed {
      Terminal.error("spar: error: \(point.id) (\(point.arm)): \(point.error ?? "")")
    }
    if !failed.isEmpty { throw ExitCode(SparFailure.failed) }
  }
}
