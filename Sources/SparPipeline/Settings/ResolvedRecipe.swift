import Foundation

/// A recipe with all its layers applied, and who decided what.
///
/// Layers come in the order defaults < recipe file < its preset < `--set` < flags < a sweep's axes.
/// A recipe and a preset may give a setting once only, whatever its spelling; of `--set` and of
/// flags the last one counts.
public struct ResolvedRecipe: Equatable, Sendable {
  public private(set) var recipe = Recipe()
  /// By canonical name; settings that nobody touched are absent.
  public private(set) var origins: [String: Origin] = [:]

  /// Objective and ranker as the recipe file left them.
  private(set) var recipeChoices: [Setting.Stage: PluginChoice] = [:]

  public init() {}

  /// One assignment as a flag: the name without dashes, and the text.
  public struct Assignment: Equatable, Sendable {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }

    /// Reads `key=value`; only the first `=` separates.
    public init(_ text: String) throws(RecipeError) {
      guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
        throw .notAssignment(text)
      }
      key = text[..<equals].trimmingCharacters(in: .whitespaces)
      value = text[text.index(after: equals)...].trimmingCharacters(in: .whitespaces)
    }
  }

  /// The recipe file, and what was applied on top of it, for the case that another preset is chosen.
  private var file: RecipeFile?
  private var given: [(assignment: Assignment, origin: Origin)] = []

  public static func == (a: ResolvedRecipe, b: ResolvedRecipe) -> Bool {
    a.recipe == b.recipe && a.origins == b.origins && a.recipeChoices == b.recipeChoices
      && a.file == b.file
  }

  /// - Throws: `RecipeError` for a key or a value that is wrong, also in a preset that is not chosen.
  public mutating func apply(_ file: RecipeFile) throws(RecipeError) {
    self.file = file
    for preset in file.presets {
      var trial = ResolvedRecipe()
      try trial.apply(preset, of: file)
    }
    try applyFile()
  }

  /// The file's entries, and those of the preset that it or `chosen` names.
  private mutating func applyFile(choosing chosen: Assignment? = nil) throws(RecipeError) {
    guard let file else { return }
    var seen: [String: Origin] = [:]
    for entry in file.entries {
      let origin = Origin.recipe(path: file.path, line: entry.line)
      try apply(
        entry.key, entry.value, origin, &seen,
        folder: (file.path as NSString).deletingLastPathComponent)
    }
    if let chosen { recipe.run.preset = chosen.value }
    if let preset = file.presets.first(where: { $0.name == recipe.run.preset }) {
      try apply(preset, of: file)
    }
    recipeChoices = [.objective: recipe.objective, .ranker: recipe.ranker]
  }

  private mutating func apply(
    _ preset: RecipeFile.Preset, of file: RecipeFile
  ) throws(RecipeError) {
    var seen: [String: Origin] = [:]
    for entry in preset.entries {
      let origin = Origin.recipePreset(name: preset.name, path: file.path, line: entry.line)
      try apply(
        entry.key, entry.value, origin, &seen,
        folder: (file.path as NSString).deletingLastPathComponent)
    }
  }

  /// Assignments on top of the file, in their order; one that chooses another preset applies the
  /// file anew and then all that was given before.
  private mutating func apply(_ more: [(assignment: Assignment, origin: Origin)])
    throws(RecipeError)
  {
    given += more
    let chosen = more.last { SettingTable.find($0.assignment.key)?.name == "preset" }
    var due = more
    if let chosen, chosen.assignment.value != recipe.run.preset {
      recipe = Recipe()
      origins = [:]
      try applyFile(choosing: chosen.assignment)
      due = given
    }
    for (assignment, origin) in due {
      // A later one replaces an earlier one: scripts append their own.
      var seen: [String: Origin] = [:]
      try apply(assignment.key, assignment.value, origin, &seen, folder: nil)
    }
  }

  /// Throws for a preset that the recipe does not have, and for none where it has presets.
  func checkPreset() throws(RecipeError) {
    let known = file?.presets.map(\.name) ?? []
    guard recipe.run.preset.isEmpty ? !known.isEmpty : !known.contains(recipe.run.preset) else {
      return
    }
    throw .preset(found: recipe.run.preset, known: known, place: origin(of: "preset"))
  }

  public mutating func apply(set assignments: [Assignment]) throws(RecipeError) {
    try apply(assignments.map { ($0, .set) })
  }

  public mutating func apply(flags: [Assignment]) throws(RecipeError) {
    // The last one counts, as everywhere on command lines; but weighted rankers are one mix.
    let rankers = flags.filter { SettingTable.find($0.key)?.name == "ranker.name" }
    var flags = flags
    if rankers.count > 1, rankers.contains(where: { $0.value.contains("=") }) {
      flags.removeAll(where: rankers.contains)
      flags.append(
        Assignment(key: "ranker", value: rankers.map(\.value).joined(separator: ",")))
    }
    try apply(flags.map { ($0, .flag($0.key)) })
  }

  /// One point of a sweep: its axes' values come last.
  public mutating func apply(axes: [Assignment]) throws(RecipeError) {
    try apply(axes.map { ($0, .axis) })
  }

  private mutating func apply(
    _ key: String, _ value: String, _ origin: Origin, _ seen: inout [String: Origin],
    folder: String?
  ) throws(RecipeError) {
    guard let target = SettingTable.find(key) else {
      throw .unknownKey(key: key, place: origin, nearest: SettingTable.nearest(to: key))
    }
    let name = target.name
    if let first = seen.updateValue(origin, forKey: name) {
      throw .twice(key: name, first: first, second: origin)
    }
    switch target {
    case .setting(let setting):
      var text = value
      if setting.isInputPath, let folder { text = Self.path(value, in: folder) }
      do {
        try setting.write(&recipe, text)
      } catch {
        throw .value(key: name, found: value, expected: error.text, place: origin)
      }
    case .objective(let option): recipe.objective.options[option] = value
    case .ranker(let option): recipe.ranker.options[option] = value
    case .check(let option): recipe.evaluate.checkOptions[option] = value
    }
    origins[name] = origin
  }

  /// A path in a recipe starts at the recipe's folder, so that a recipe works from everywhere; a
  /// name that is no file there (a model's, say) stays as it is.
  ///
  /// The parts of a mixture (`a.parquet:0.5,b.jsonl`) are paths each.
  private static func path(_ text: String, in folder: String) -> String {
    guard text.contains(",") || text.contains(":") else { return onePath(text, in: folder) }
    let whole = onePath(text, in: folder)
    if whole != text { return whole }
    return text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let part = part.trimmingCharacters(in: .whitespaces)
      guard let colon = part.lastIndex(of: ":"),
        Double(part[part.index(after: colon)...]) != nil
      else { return onePath(part, in: folder) }
      return onePath(String(part[..<colon]), in: folder) + part[colon...]
    }.joined(separator: ",")
  }

  private static func onePath(_ text: String, in folder: String) -> String {
    guard !text.isEmpty, !text.hasPrefix("/") else { return text }
    if text.hasPrefix("~") { return (text as NSString).expandingTildeInPath }
    let joined = (folder as NSString).appendingPathComponent(text)
    let first = PromptSets.name(joined, iteration: 1)
    return FileManager.default.fileExists(atPath: first) ? joined : text
  }

  public func origin(of name: String) -> Origin { origins[name] ?? .preset }

  /// One row of `--show` and of run.json.
  public struct Row: Equatable, Sendable {
    public var name: String
    public var value: String
    public var origin: Origin
  }

  /// Every setting with its value, the open options of objective and ranker after their names.
  public var rows: [Row] {
    var rows: [Row] = []
    for setting in SettingTable.all {
      rows.append(
        Row(name: setting.name, value: setting.text(recipe), origin: origin(of: setting.name)))
      let (options, prefix): ([String: String], String) =
        switch setting.name {
        case "objective.name": (recipe.objective.options, "objective.")
        case "ranker.name": (recipe.ranker.options, "ranker.")
        case "evaluate.checks": (recipe.evaluate.checkOptions, "evaluate.check.")
        default: ([:], "")
        }
      for (option, value) in options.sorted(by: { $0.key < $1.key }) {
        let name = prefix + option
        rows.append(Row(name: name, value: value, origin: origin(of: name)))
      }
    }
    return rows
  }
}
