import ArgumentParser
import SparPipeline
import SparSweeps

/// What turns a run into a sweep.
struct SweepOptions: ParsableArguments {
  static let names: Set = ["vary", "jobs", "baseline"]
  static let switches: Set = ["plan"]

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "An axis: objective.name=sppo,dpo, train.seed=1..3, learning_rate=1e-6..1e-4:3:log; with a "
        + "condition: beta=0.1,0.5@objective.name=dpo. May be repeated.", valueName: "name=values"))
  var vary: [String] = []

  @Option(
    help: "Points that run at a time, each with its part of the threads; memory may allow less.")
  var jobs = 1

  @Option(
    help: ArgumentHelp(
      "The arm that reports compare with, such as \"objective.name=sppo\".", valueName: "arm"))
  var baseline: String?

  @Flag(help: "Print stages, memory and the estimated time, or a sweep's points; run nothing.")
  var plan = false

  var isGiven: Bool { !vary.isEmpty || jobs != 1 || baseline != nil || plan }

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs is \(jobs); it must be at least 1") }
  }

  /// The recipe's `vary:` block with the flags; empty where there is neither.
  func block(_ recipe: String) throws -> VaryBlock {
    var block =
      try RecipeFile(path: recipe).vary.map { try VaryBlock($0, path: recipe) }
      ?? VaryBlock()
    try block.add(flags: vary)
    return block
  }
}
