import SparPipeline

/// A sweep that cannot be understood, started or continued.
public enum SweepError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `place` is "recipe.yaml:12" or "--vary".
  case syntax(place: String, problem: String)
  case nothingVaries(recipe: String)
  case tooManyPoints(count: Int, limit: Int)
  case point(values: String, problem: String)
  case samePoints(first: String, second: String)
  case axisIsSet(axis: String, by: String)
  case unknownArm(text: String, arms: [String], nearest: String?)
  case changed(file: String, changes: [String])
  case memory(needed: Double, present: Double)
  case interrupted(done: Int, of: Int)

  public var description: String {
    switch self {
    case .syntax(let place, let problem): return "\(place): \(problem)"
    case .nothingVaries(let recipe):
      return "\(recipe) has no `vary:` block and there is no --vary: nothing to sweep"
    case .tooManyPoints(let count, let limit):
      return "the grid has more than \(count) points; at most \(limit) are run"
    case .point(let values, let problem):
      return "the point \(values) cannot run: \(problem)"
    case .samePoints(let first, let second):
      return "these points would compute exactly the same: \(first) | \(second); "
        + "what tells them apart changes no result"
    case .axisIsSet(let axis, let by): return "\(axis) is an axis, and set by \(by), too"
    case .unknownArm(let text, let arms, let nearest):
      return "there is no arm \"\(text)\"" + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
        + " (arms: \(arms.joined(separator: " | ")))"
    case .changed(let file, let changes):
      let more = changes.count > 6 ? "; and \(changes.count - 6) more" : ""
      return "\(file) is of another sweep: \(changes.prefix(6).joined(separator: "; "))\(more)"
    case .memory(let needed, let present):
      return "one point needs about \(Self.gigabytes(needed)), this machine has "
        + Self.gigabytes(present)
    case .interrupted(let done, let count): return "\(done) of \(count) points are done"
    }
  }

  /// What to do about it.
  public var hint: String? {
    switch self {
    case .syntax, .nothingVaries:
      return "docs/sweeps.md shows every form, such as --vary objective.beta=0.01,0.1 or "
        + "--vary train.seed=1..3"
    case .tooManyPoints: return "vary less, or use exclude:"
    case .point: return "`spar sweep RECIPE --plan` checks all points and runs nothing"
    case .samePoints: return "vary a setting that a stage depends on"
    case .axisIsSet: return "leave one of the two out"
    case .unknownArm: return nil
    case .changed:
      return "undo the change or choose another --output_dir; values may be added to axes"
    case .memory:
      return "lower train.tokens_per_pass or generate.batch_size, or use a smaller model"
    case .interrupted: return nil
    }
  }

  private static func gigabytes(_ bytes: Double) -> String {
    "\((bytes / 1e8).rounded() / 10) GB"
  }
}
