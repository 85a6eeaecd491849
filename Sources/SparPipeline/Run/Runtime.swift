import Foundation
import SparCompute
import SparHost
import SparModel
import SparPreference
import SparRanking
import Synchronization

/// What every stage needs of the machine: plugins, one backend, models on it.
public final class Runtime {
  public let host: PluginHost
  public let backend: Backend
  /// The budget of loops.
  public let threads: Int
  /// How models that are opened from now on keep their matrices; training needs f32.
  public var weights: WeightsPolicy {
    get { policy.withLock { $0 } }
    set { policy.withLock { $0 = newValue } }
  }
  private let policy: Shared<WeightsPolicy>
  /// Lent to rankers: models that score text, and models whose heads the ranker brings.
  let languageModels: LanguageModelExtension
  let textModels: TextModelExtension

  /// - Parameters:
  ///   - backend: its id, perhaps with options ("numa:nodes=2"); empty = the best that works here.
  ///   - threads: 0 = all cores.
  public init(host: PluginHost, backend id: String, threads: Int) throws {
    let threads = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
    let choice = PluginChoice(text: id)
    let backend = try host.backend(
      choice.name.isEmpty ? nil : choice.name, options: choice.options, threads: threads)
    self.host = host
    self.threads = threads
    self.backend = backend
    let policy = Shared(WeightsPolicy.f32)
    self.policy = policy
    @Sendable func now() -> WeightsPolicy { policy.withLock { $0 } }
    languageModels = LanguageModelExtension(weights: now) { path in
      try LanguageModel.load(path, backend: backend, weights: now())
    }
    textModels = TextModelExtension(weights: now) { path in
      try TextModels.load(path, backend: backend, weights: now())
    }
    host.register(extension: LanguageModelExtension.id, languageModels.table)
    host.register(extension: TextModelExtension.id, textModels.table)
  }

  /// Whether rankers that were made have any model of the host's open.
  public var lendsModels: Bool {
    !languageModels.opened.isEmpty || !textModels.opened.isEmpty
  }

  public func model(_ path: String) throws -> LanguageModel {
    try LanguageModel.load(path, backend: backend, weights: weights)
  }

  /// The ranker with its options, checked against what it announces.
  public func ranker(_ choice: PluginChoice) throws -> AnswerRanker {
    let parts = try choice.rankers().map { part in
      let checked = try host.checkedOptions(.ranker, part.choice)
      return (
        ranker: AnswerRanker(
          try host.makeRanker(part.choice.name, options: part.choice.options), options: checked),
        weight: part.weight
      )
    }
    return choice.isMix ? AnswerRanker(mixing: parts) : parts[0].ranker
  }

  public func objective(_ choice: PluginChoice) throws -> Objective {
    try host.makeObjective(choice.name, options: choice.options)
  }
}

/// A value that loading, which rankers start, and the runtime see alike.
private final class Shared<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  init(_ value: Value) { self.value = Mutex(value) }

  func withLock<R>(_ body: (inout Value) -> R) -> R { value.withLock { body(&$0) } }
}

extension PluginHost {
  /// All options of the chosen component, defaults included, as text under their own names.
  public func checkedOptions(
    _ kind: PluginKind, _ choice: PluginChoice
  ) throws(PluginError) -> [String: String] {
    let checked = try component(kind, choice.name).check(choice.options)
    return Dictionary(
      checked.map { ($0.schema.name, $0.value.text) }, uniquingKeysWith: { first, _ in first })
  }

  /// The options of a ranker, or of all rankers of a mix under "NAME.OPTION".
  public func checkedRankerOptions(_ choice: PluginChoice) throws -> [String: String] {
    var options: [String: String] = [:]
    for part in try choice.rankers() {
      for (name, value) in try checkedOptions(.ranker, part.choice) {
        options[choice.isMix ? "\(part.choice.name).\(name)" : name] = value
      }
    }
    return options
  }

  /// Throws for an objective or a ranker that is not there, lacks an option or cannot be trained as
  /// the recipe wants.  Nothing runs.
  public func check(_ recipe: Recipe) throws {
    try checkPairing(recipe)
    _ = try checkedOptions(.objective, recipe.objective)
    _ = try checkedRankerOptions(recipe.ranker())
    for other in try recipe.evaluate.otherRankers() { _ = try checkedRankerOptions(other) }
    if !recipe.run.backend.isEmpty {
      _ = try checkedOptions(.backend, PluginChoice(text: recipe.run.backend))
    }
  }

  /// Throws when the objective needs pairs and is to train on single answers.
  public func checkPairing(_ recipe: Recipe) throws {
    let objective = try component(.objective, recipe.objective.name)
    guard recipe.train.pairing == .allAnswers, !objective.needs.contains(.answers) else { return }
    let able = components(.objective).filter { $0.needs.contains(.answers) }.map(\.id).sorted()
    throw RecipeError.pairing(
      recipe.train.pairing.rawValue, objective: objective.id, able: able)
  }
}
