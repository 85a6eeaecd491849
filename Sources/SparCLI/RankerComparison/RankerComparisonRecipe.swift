import ArgumentParser
import SparPipeline
import SparRankerTraining
import SparSweeps
import SparText

/// What stands under `compare_rankers:` in a recipe.
///
///     compare_rankers:
///       model: smollm2-135m
///       output_dir: checkpoints/cyclic
///       cycles: [3, 4, 5]           # answers of a circle
///       prompts: 3                  # circles of one training
///       seeds: 1..5
///       train: {max_epochs: 60}     # flags of `spar train-ranker`, for all rankers
///       rankers:
///         - {name: Bradley-Terry, kind: bradley-terry}
struct RankerComparisonRecipe {
  var path: String
  var model: String
  var outputDir: String
  var comparison: RankerComparison

  private static let keys = [
    "model", "output_dir", "cycles", "prompts", "seeds", "train", "rankers",
  ]
  /// Flags of heads, losses and steps; the others have no meaning for circles.
  private static let flags = [
    "kind", "value_head_dim", "gate", "l2", "general_preference_tau", "loss", "learn_tau",
    "regression_target_margin", "learning_rate", "max_epochs", "max_steps", "train_batch_size",
    "group_size", "lr_scheduler_type", "warmup_ratio", "l2_decay", "max_norm",
  ]

  init(_ file: RecipeFile) throws {
    path = file.path
    if let other = file.entries.first {
      throw Self.error(
        file.path, other.line, "\(other.key) has no meaning beside compare_rankers:")
    }
    guard file.vary == nil, let node = file.rankerComparison else {
      throw Self.error(file.path, 1, "vary: has no meaning beside compare_rankers:")
    }
    let fields = try Self.fields(node, file.path, allowed: Self.keys)
    func need(_ key: String) throws -> RecipeNode {
      guard let found = fields[key] else {
        throw Self.error(file.path, node.line, "compare_rankers: needs \(key)")
      }
      return found
    }
    func numbers<Number: LosslessStringConvertible>(_ key: String) throws -> [Number] {
      let part = try need(key)
      return try AxisValues.parse(
        Self.words(part, file.path).joined(separator: ","), place: "\(file.path):\(part.line)"
      ).map { text in
        guard let number = Number(text) else {
          throw Self.error(file.path, part.line, "\(key) has \"\(text)\"; it holds whole numbers")
        }
        return number
      }
    }
    model = try Self.word(need("model"), file.path)
    outputDir = try Self.word(need("output_dir"), file.path)
    let shared = try Self.arguments(fields["train"], file.path)
    let rankers = try need("rankers")
    guard case .list(let items) = rankers.content, !items.isEmpty else {
      throw Self.error(file.path, rankers.line, "rankers: is a list of {name: …, kind: …}")
    }
    let arms = try items.map { try Self.arm($0, shared, file.path) }
    if let twice = arms.map(\.name).first(where: { name in arms.count { $0.name == name } > 1 }) {
      throw Self.error(file.path, rankers.line, "two rankers are called \(twice)")
    }
    let lengths: [Int] = try numbers("cycles")
    if let wrong = lengths.first(where: { !CyclicPreferences.lengths.contains($0) }) {
      let range = CyclicPreferences.lengths
      throw Self.error(
        file.path, try need("cycles").line,
        "cycles has \(wrong); a circle has \(range.lowerBound) to \(range.upperBound) answers")
    }
    let circles: [Int] = try numbers("prompts")
    guard circles.count == 1, circles[0] > 0 else {
      throw Self.error(file.path, try need("prompts").line, "prompts is one number above 0")
    }
    comparison = RankerComparison(
      arms: arms, lengths: lengths, circles: circles[0], seeds: try numbers("seeds"))
  }

  private static func arm(
    _ node: RecipeNode, _ shared: [String: String], _ path: String
  ) throws -> RankerComparison.Arm {
    var fields = try fields(node, path, allowed: ["name"] + flags)
    guard let name = fields.removeValue(forKey: "name") else {
      throw error(path, node.line, "a ranker needs a name")
    }
    let own = try fields.mapValues { try word($0, path) }
    let all = shared.merging(own) { _, own in own }
    let words = all.sorted { $0.key < $1.key }.flatMap { key, value -> [String] in
      let flag = key.replacing("_", with: "-")
      return value == "true"
        ? ["--\(flag)"]
        : value == "false"
          ? ["--no-\(flag)"]
          : ["--\(flag)", value]
    }
    do {
      let parsed = try RankerFlags.parse(words)
      return RankerComparison.Arm(
        name: try word(name, path), options: try parsed.training.options(parsed.head))
    } catch let problem as RankerTrainingError {
      throw error(path, node.line, "\(problem)")
    } catch {
      throw self.error(path, node.line, RankerFlags.message(for: error))
    }
  }

  /// The flags of `spar train-ranker` that say how, not on what.
  private struct RankerFlags: ParsableArguments {
    @OptionGroup var head: RankerHeadArguments
    @OptionGroup var training: RankerTrainingArguments
  }

  private static func arguments(_ node: RecipeNode?, _ path: String) throws -> [String: String] {
    guard let node else { return [:] }
    return try fields(node, path, allowed: flags).mapValues { try word($0, path) }
  }

  private static func fields(
    _ node: RecipeNode, _ path: String, allowed: [String]
  ) throws -> [String: RecipeNode] {
    guard case .fields(let fields) = node.content else {
      throw error(path, node.line, "lines of `key: value` belong here")
    }
    for field in fields where !allowed.contains(field.name) {
      let nearest = NearestName.of(field.name, among: allowed)
      throw error(
        path, field.node.line,
        "\(field.name) is not known here" + (nearest.map { "; did you mean \"\($0)\"?" } ?? ""))
    }
    return Dictionary(fields.map { ($0.name, $0.node) }, uniquingKeysWith: { first, _ in first })
  }

  private static func words(_ node: RecipeNode, _ path: String) throws -> [String] {
    guard case .list(let items) = node.content else { return [try word(node, path)] }
    return try items.map { try word($0, path) }
  }

  private static func word(_ node: RecipeNode, _ path: String) throws -> String {
    guard case .text(let text) = node.content, !text.isEmpty else {
      throw error(path, node.line, "one value belongs here")
    }
    return text
  }

  private static func error(_ path: String, _ line: Int, _ problem: String) -> UsageError {
    UsageError("\(path):\(line): \(problem)")
  }
}
