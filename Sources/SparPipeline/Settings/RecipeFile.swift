import Foundation
import Yams

/// A recipe as it is written: keys, values and lines, not yet understood.
///
/// Keys may be nested or dotted (`train: {optim: adamw}` = `train.optim: adamw`).  Every value is
/// kept as text: what `5.0e-7` means is for the setting to say, not for YAML's guess of a type.
public struct RecipeFile: Equatable, Sendable {
  public struct Entry: Equatable, Sendable {
    public var key: String
    public var value: String
    public var line: Int
  }
  /// Settings under a name of `presets:`, one of which `preset:` chooses.
  public struct Preset: Equatable, Sendable {
    public var name: String
    public var entries: [Entry]
  }

  public var path: String
  public var entries: [Entry]
  /// In the order of the file.
  public var presets: [Preset] = []
  /// What is under `vary:`, for sweeps; nil where there is none.
  public var vary: RecipeNode?
  /// What is under `compare_rankers:`, in place of settings; nil where there is none.
  public var rankerComparison: RecipeNode?

  public init(path: String) throws(RecipeError) {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      let exists = FileManager.default.fileExists(atPath: path)
      throw .unreadable(
        path: path, reason: exists ? "not readable as UTF-8 text" : "no such file")
    }
    try self.init(text: text, path: path)
  }

  /// `path` only names the text in messages and resolves relative inputs.
  public init(text: String, path: String) throws(RecipeError) {
    self.path = path
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw Self.syntax(error, path)
    } catch {
      throw .syntax(path: path, line: 1, problem: "\(error)")
    }
    entries = []
    guard let root else { return }
    if case .scalar(let scalar) = root, scalar.string.isEmpty { return }
    guard case .mapping = root else { throw .notAMapping(path: path) }
    entries = try collect(root, under: "")
  }

  /// Settings whose value may be a list: data, of which it is a mixture, and names.
  private static let lists: Set = [
    "prompts", "dataset_name", "heldout", "evaluate.prompts", "evaluate.checks",
    "train_ranker.dataset", "train_ranker.bootstrap", "train_ranker.bootstrap_kinds",
  ]

  private mutating func collect(
    _ node: Node, under prefix: String, isPreset: Bool = false
  ) throws(RecipeError) -> [Entry] {
    guard case .mapping(let mapping) = node else { return [] }
    var entries: [Entry] = []
    for (key, value) in mapping {
      let line = key.mark?.line ?? 0
      guard let name = key.scalar?.string else {
        throw .syntax(path: path, line: line, problem: "a key must be a word")
      }
      let full = prefix.isEmpty ? name : "\(prefix).\(name)"
      if isPreset, ["vary", "presets", "preset", "compare_rankers"].contains(full) {
        throw .syntax(path: path, line: line, problem: "a preset holds settings, not \(full)")
      }
      if full == "vary" {
        vary = try RecipeNode(value, path: path)
        continue
      }
      if full == "presets" {
        try collectPresets(value, line: line)
        continue
      }
      if full == "compare_rankers" {
        rankerComparison = try RecipeNode(value, path: path)
        continue
      }
      switch value {
      case .mapping: entries += try collect(value, under: full, isPreset: isPreset)
      case .scalar(let scalar):
        entries.append(Entry(key: full, value: scalar.string, line: line))
      case .sequence(let sequence) where Self.lists.contains(full):
        let parts = sequence.compactMap(\.scalar?.string)
        guard parts.count == sequence.count, !parts.isEmpty else {
          throw .syntax(
            path: path, line: line, problem: "\(full) is a list of texts, such as a.jsonl:0.5")
        }
        entries.append(Entry(key: full, value: parts.joined(separator: ","), line: line))
      case .sequence, .alias:
        throw .syntax(path: path, line: line, problem: "\(full) takes one value, not a list")
      }
    }
    return entries
  }

  private mutating func collectPresets(_ node: Node, line: Int) throws(RecipeError) {
    guard case .mapping(let mapping) = node else {
      throw .syntax(
        path: path, line: line, problem: "presets is a mapping of names to settings")
    }
    for (key, value) in mapping {
      let place = key.mark?.line ?? line
      guard let name = key.scalar?.string, case .mapping = value else {
        throw .syntax(
          path: path, line: place,
          problem: "a preset is a name and its settings, such as `paper: {temperature: 1}`")
      }
      presets.append(Preset(name: name, entries: try collect(value, under: "", isPreset: true)))
    }
  }

  private static func syntax(_ error: YamlError, _ path: String) -> RecipeError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return .syntax(path: path, line: mark.line, problem: "broken YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      return .syntax(
        path: path, line: context.mark.line,
        problem: "written twice: \(duplicates.map { "\($0)" }.joined(separator: ", "))")
    default:
      return .syntax(path: path, line: 1, problem: "broken YAML: \(error)")
    }
  }
}
