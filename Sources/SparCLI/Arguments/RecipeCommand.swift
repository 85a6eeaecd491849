import ArgumentParser
import SparPipeline

/// A command whose settings come from the table: recipe file, `--set`, flags.
protocol RecipeCommand: ParsableCommand {
  /// Names of settings that it uses, or prefixes that end with a dot.
  static var uses: [String] { get }
  /// Its own options that take a value and its own switches, in kebab-case.
  static var options: Set<String> { get }
  static var switches: Set<String> { get }
}

extension RecipeCommand {
  static var ownOptions: Set<String> {
    options.union([
      "set", "flag", "config", "backend", "threads", "plugin-path", "ranker-option",
      "objective-option",
    ])
  }

  static var ownFlags: Set<String> {
    ownOptions.union(switches).union(["help", "version", "no-plugins", "json"])
  }

  static func isUsed(_ name: String) -> Bool {
    uses.contains { $0.hasSuffix(".") ? name.hasPrefix($0) : name == $0 }
  }

  /// The settings of this command, for its help.
  static var settingsHelp: String {
    let rows = SettingTable.all.filter { isUsed($0.name) }.map { setting in
      let short = setting.aliases.first ?? setting.name
      let range = setting.range.isEmpty ? setting.type : "\(setting.type) \(setting.range)"
      let preset = setting.defaultText
      return [
        "  --\(short)", setting.help,
        "(\(range); default: \(preset.isEmpty ? "none" : preset))",
      ]
    }
    return "SETTINGS (as flags, with --set, or in a recipe):\n"
      + rows.map { "\($0[0])\n      \($0[1]) \($0[2])" }.joined(separator: "\n")
  }
}

extension Spar {
  static let recipeCommands: [any RecipeCommand.Type] = [
    RunCommand.self, SweepCommand.self, GenerateCommand.self, RankCommand.self,
    EvaluateRankerCommand.self, PairCommand.self,
    TrainCommand.self, EvaluateCommand.self,
  ]
}

/// The layers of a recipe on the command line.
struct RecipeOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Set KEY, such as objective.beta, to VALUE; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []

  /// Filled by `FlagSpelling` from flags that are settings.
  @Option(name: .customLong("flag"), parsing: .unconditionalSingleValue, help: .hidden)
  var flags: [String] = []

  @Option(
    name: .customLong("ranker-option"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("An option of the ranker; may be repeated.", valueName: "key=value"))
  var rankerOptions: [String] = []

  @Option(
    name: .customLong("objective-option"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("An option of the objective; may be repeated.", valueName: "key=value"))
  var objectiveOptions: [String] = []

  var isGiven: Bool {
    !(assignments.isEmpty && flags.isEmpty && rankerOptions.isEmpty && objectiveOptions.isEmpty)
  }

  private static func option(
    _ text: String, of plugin: String
  ) throws -> ResolvedRecipe.Assignment {
    guard text.contains("="), text.first != "=" else {
      throw UsageError("--\(plugin)-option \(text): not of the form key=value")
    }
    return try ResolvedRecipe.Assignment("\(plugin).\(text)")
  }

  /// defaults < recipe < --set < flags; `command` refuses what it has no use for.
  func resolve(
    recipe path: String?, for command: any RecipeCommand.Type, common: CommonOptions
  ) throws -> ResolvedRecipe {
    var resolved = ResolvedRecipe()
    if let path {
      let file = try RecipeFile(path: path)
      if let vary = file.vary, !["run", "sweep"].contains(command._commandName) {
        throw RecipeError.foreign(
          key: "vary", owner: "`spar sweep`", command: command._commandName,
          place: .recipe(path: path, line: vary.line))
      }
      if let comparison = file.rankerComparison {
        throw RecipeError.foreign(
          key: "compare_rankers", owner: "`spar run`", command: command._commandName,
          place: .recipe(path: path, line: comparison.line))
      }
      try resolved.apply(file)
    }
    let set = try assignments.map { try ResolvedRecipe.Assignment($0) }
    var given =
      try flags.map { try ResolvedRecipe.Assignment($0) }
      + rankerOptions.map { try Self.option($0, of: "ranker") }
      + objectiveOptions.map { try Self.option($0, of: "objective") }
    if let backend = common.backend { given.append(.init(key: "backend", value: backend)) }
    if let threads = common.threads { given.append(.init(key: "threads", value: "\(threads)")) }
    for (assignment, origin) in set.map({ ($0, Origin.set) })
      + given.map({ ($0, Origin.flag($0.key)) })
    {
      guard let target = SettingTable.find(assignment.key), !command.isUsed(target.name) else {
        continue
      }
      throw RecipeError.foreign(
        key: target.name, owner: target.stage == .run ? "`spar run`" : target.stage.rawValue,
        command: command._commandName, place: origin)
    }
    try resolved.apply(set: set)
    try resolved.apply(flags: given)
    try resolved.checkEveryValueIsRead()
    for text in resolved.outweighedBeside { Terminal.error("spar: warning: \(text)") }
    return resolved
  }
}
