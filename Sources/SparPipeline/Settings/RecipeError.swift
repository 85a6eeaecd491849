/// A recipe, `--set` or flag that cannot be taken as it is.
public enum RecipeError: Error, Equatable, Sendable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case syntax(path: String, line: Int, problem: String)
  case notAMapping(path: String)
  case unknownKey(key: String, place: Origin, nearest: String?)
  case value(key: String, found: String, expected: String, place: Origin)
  case twice(key: String, first: Origin, second: Origin)
  case missing(key: String, purpose: String)
  case foreign(key: String, owner: String, command: String, place: Origin)
  case notAssignment(String)
  /// Given, and not looked at by what was chosen.
  case unread(key: String, readers: [String], chooser: String, chosen: String, place: Origin)
  /// Written for one plugin of a kind, while another is used.
  case otherOwner(key: String, owner: String, chosen: String, place: Origin)
  /// A preset that the recipe has not, or none where it has some.
  case preset(found: String, known: [String], place: Origin)
  /// A mix of rankers that cannot be read.
  case mix(text: String, problem: String)
  /// Settings of a ranker that the run trains, and of those that use it, do not go together.
  case trainedRanker(String)
  /// Other rankers for the evaluation that cannot be read.
  case checks(text: String, problem: String)
  /// `able`: objectives that can be trained in this way.
  case pairing(String, objective: String, able: [String])

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): return "cannot read recipe \(path): \(reason)"
    case .syntax(let path, let line, let problem): return "\(path):\(line): \(problem)"
    case .notAMapping(let path):
      return "\(path): a recipe is a list of `key: value` lines, this is something else"
    case .unknownKey(let key, let place, let nearest):
      return "\(place.prefix)unknown setting \"\(key)\""
        + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
    case .value(let key, let found, let expected, let place):
      return "\(place.prefix)\(key) is \"\(found)\"; it must be \(expected)"
    case .twice(let key, let first, let second):
      return "\(key) is set twice: by \(first) and by \(second)"
    case .missing(let key, let purpose): return "\(key) is not set: \(purpose)"
    case .foreign(let key, let owner, let command, let place):
      return "\(place.prefix)\(key) belongs to \(owner), `spar \(command)` has no use for it"
    case .unread(let key, let readers, let chooser, let chosen, let place):
      return "\(place.prefix)\(key) is read by \(readers.joined(separator: ", ")), but \(chooser) "
        + "is \(chosen)"
    case .otherOwner(let key, let owner, let chosen, let place):
      return "\(place.prefix)\(key) is meant for \(owner), but \(chosen) is chosen, to which the "
        + "same name may mean another thing; leave it out of the recipe, or give \(key) for "
        + "\(chosen) as well"
    case .pairing(let pairing, let objective, let able):
      return "train.pairing is \(pairing), but \(objective) compares answers and has no target for "
        + "a single one; use best-worst or all-pairs"
        + (able.isEmpty ? "" : ", or an objective that has: \(able.joined(separator: ", "))")
    case .preset(let found, let known, let place):
      if known.isEmpty { return "\(place.prefix)preset is \(found), but there are no presets" }
      let list = known.joined(separator: ", ")
      return found.isEmpty
        ? "no preset is chosen; give --preset with one of \(list)"
        : "\(place.prefix)preset is \"\(found)\"; the recipe has \(list)"
    case .mix(let text, let problem):
      return "ranker \(text): \(problem); a mix is written gpm=1,length=-0.1"
    case .trainedRanker(let problem): return "train_ranker: \(problem)"
    case .checks(let text, let problem): return "evaluate.checks \(text): \(problem)"
    case .notAssignment(let text): return "--set \(text): not of the form key=value"
    }
  }
}
