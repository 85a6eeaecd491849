import SparPipeline

/// What varies: the `vary:` block of a recipe, with what `--vary` adds to it.
///
///     vary:
///       train.seed: [1, 2]                                  # a replicate by its name
///       train.learning_rate: {from: 1e-6, to: 1e-4, steps: 3, scale: log}
///       objective.label_smoothing: {values: [0, 0.1], when: {objective.name: dpo}}
///       sets:                                               # alternatives that go together
///         - {objective.name: sppo, objective.beta: [0.001, 0.01]}
///         - {objective.name: dpo, objective.beta: [0.1, 0.5]}
///       exclude:
///         - {objective.name: dpo, train.learning_rate: 1e-4}
///       replicates: [seed]                                  # further axes that only repeat
///       baseline: objective.name=sppo objective.beta=0.001
public struct VaryBlock: Equatable, Sendable {
  public var axes: [Axis] = []
  public var sets: [SettingSets] = []
  /// Each a list of conditions; a point that fulfils all of one is left out.
  public var excludes: [[Axis.Condition]] = []
  public var replicates: [String] = []
  public var baseline: String?

  public init() {}

  public var isEmpty: Bool { axes.isEmpty && sets.isEmpty }

  /// - Parameter path: the recipe, for messages.
  public init(_ node: RecipeNode, path: String) throws(SweepError) {
    func place(_ node: RecipeNode) -> String { "\(path):\(node.line)" }
    guard case .fields(let fields) = node.content else {
      throw .syntax(place: place(node), problem: "vary: holds lines of `setting: values`")
    }
    for field in fields {
      let here = place(field.node)
      switch field.name {
      case "sets":
        sets.append(try Self.sets(field.node, path: path))
      case "exclude":
        for item in try Self.list(field.node, place: here) {
          excludes.append(try Self.conditions(item, place: place(item)))
        }
      case "replicates":
        for name in try AxisValues.parse(field.node, place: here) {
          replicates.append(try Axis.name(name, place: here))
        }
      case "baseline":
        guard case .text(let text) = field.node.content else {
          throw .syntax(place: here, problem: "baseline: takes an arm such as \"a=1 b=2\"")
        }
        baseline = text
      default: try collect(field.name, field.node, path: path)
      }
    }
  }

  /// `name: values`, with `name` nested or dotted as in the rest of a recipe.
  private mutating func collect(
    _ name: String, _ node: RecipeNode, path: String
  ) throws(SweepError) {
    let place = "\(path):\(node.line)"
    if case .fields(let fields) = node.content, SettingTable.find(name) == nil,
      ["objective", "ranker", "train", "train_ranker", "generate", "rank", "evaluate"].contains(
        name)
    {
      for field in fields { try collect("\(name).\(field.name)", field.node, path: path) }
      return
    }
    // `objective:` alone is the name of a plugin; with fields it is the stage.
    if case .fields(let fields) = node.content, ["objective", "ranker"].contains(name),
      !fields.contains(where: { ["values", "from", "when"].contains($0.name) })
    {
      for field in fields { try collect("\(name).\(field.name)", field.node, path: path) }
      return
    }
    try add(
      Axis(
        name: Axis.name(name, place: place), branches: Self.branches(node, path: path),
        place: place))
  }

  private mutating func add(_ axis: Axis) throws(SweepError) {
    guard !axes.contains(where: { $0.name == axis.name }) else {
      throw .syntax(place: axis.place, problem: "\(axis.name) is varied twice")
    }
    axes.append(axis)
  }

  /// Plain values, `{values: …, when: …}`, or a list of the latter.
  private static func branches(
    _ node: RecipeNode, path: String
  ) throws(SweepError) -> [Axis.Branch] {
    let place = "\(path):\(node.line)"
    if case .list(let items) = node.content, !items.isEmpty,
      items.allSatisfy({ $0.field("when") != nil || $0.field("values") != nil })
    {
      var branches: [Axis.Branch] = []
      for item in items { branches += try Self.branches(item, path: path) }
      return branches
    }
    guard case .fields(var fields) = node.content else {
      return [Axis.Branch(values: try AxisValues.parse(node, place: place), when: [])]
    }
    var when: [Axis.Condition] = []
    if let condition = node.field("when") {
      when = try conditions(condition, place: "\(path):\(condition.line)")
      fields.removeAll { $0.name == "when" }
    }
    guard let values = node.field("values") else {
      let range = RecipeNode(.fields(fields), line: node.line)
      return [Axis.Branch(values: try AxisValues.parse(range, place: place), when: when)]
    }
    if let other = fields.first(where: { $0.name != "values" }) {
      throw .syntax(place: place, problem: "\(other.name) has no meaning beside values:")
    }
    return [Axis.Branch(values: try AxisValues.parse(values, place: place), when: when)]
  }

  private static func conditions(
    _ node: RecipeNode, place: String
  ) throws(SweepError) -> [Axis.Condition] {
    guard case .fields(let fields) = node.content, !fields.isEmpty else {
      throw .syntax(place: place, problem: "a condition is {setting: value, …}")
    }
    var conditions: [Axis.Condition] = []
    for field in fields {
      conditions.append(
        Axis.Condition(
          name: try Axis.name(field.name, place: place),
          values: try AxisValues.parse(field.node, place: place)))
    }
    return conditions
  }

  private static func sets(_ node: RecipeNode, path: String) throws(SweepError) -> SettingSets {
    let place = "\(path):\(node.line)"
    var rows: [SettingSets.Row] = []
    for item in try list(node, place: place) {
      let here = "\(path):\(item.line)"
      var row = SettingSets.Row(values: [])
      for condition in try conditions(item, place: here) {
        row.values.append((condition.name, condition.values))
      }
      rows.append(row)
    }
    guard rows.count > 0 else { throw .syntax(place: place, problem: "sets: is empty") }
    return SettingSets(rows: rows, place: place)
  }

  private static func list(
    _ node: RecipeNode, place: String
  ) throws(SweepError) -> [RecipeNode] {
    guard case .list(let items) = node.content else {
      throw .syntax(place: place, problem: "this is a list of {setting: value, …}")
    }
    return items
  }

  /// `--vary name=values[@other=value[&another=value]]`; an axis of the recipe is replaced, and
  /// several with conditions are branches of one axis.
  public mutating func add(flags: [String]) throws(SweepError) {
    var fresh: Set<String> = []
    for flag in flags {
      let place = "--vary \(flag)"
      let parts = flag.split(separator: "@", maxSplits: 1).map(String.init)
      guard let first = parts.first, let (key, values) = Self.split(first) else {
        throw .syntax(place: place, problem: "not of the form setting=value,value")
      }
      let name = try Axis.name(key, place: place)
      var when: [Axis.Condition] = []
      if parts.count == 2 {
        for text in parts[1].split(separator: "&").map(String.init) {
          guard let (key, values) = Self.split(text) else {
            throw .syntax(place: place, problem: "after @ comes setting=value")
          }
          when.append(
            Axis.Condition(
              name: try Axis.name(key, place: place),
              values: try AxisValues.parse(values, place: place)))
        }
      }
      let branch = Axis.Branch(values: try AxisValues.parse(values, place: place), when: when)
      let known = axes.firstIndex { $0.name == name }
      if fresh.insert(name).inserted {
        let axis = Axis(name: name, branches: [branch], place: place)
        if let known { axes[known] = axis } else { axes.append(axis) }
      } else if let known, !when.isEmpty, axes[known].branches.allSatisfy({ !$0.when.isEmpty }) {
        axes[known].branches.append(branch)
      } else {
        throw .syntax(place: place, problem: "\(name) is varied twice")
      }
    }
  }

  private static func split(_ text: String) -> (String, String)? {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
    return (
      text[..<equals].trimmingCharacters(in: .whitespaces),
      String(text[text.index(after: equals)...])
    )
  }
}
