import SparRankerTraining

/// How a run trains its own ranker before the first iteration; off while `model` is empty.
public struct TrainRankerSettings: Equatable, Sendable {
  /// The transformer under the heads, and who answers where comparisons are bootstrapped.
  public var model = ""
  /// Comparisons to train on.
  public var dataset = ""
  /// Prompts to make comparisons of, in place of a data set.
  public var bootstrap = ""
  /// `heldoutShare` counts for data sets, too.
  public var bootstrapping = BootstrapOptions()

  public var kind = RankerHead.Kind.gpm
  public var valueHeadDim = 2
  public var gate = RankerHead.Gate.none
  public var l2 = true
  /// 0 = 0.1 for gpm, 1 for bradley-terry.
  public var tau = 0.0
  public var scope = RankerTrainingOptions.Scope.head
  public var loraRank = 16
  public var loraAlpha = 16.0
  /// 0 = the scope's own.
  public var learningRate = 0.0
  public var epochs = 1.0
  public var batchSize = 8
  public var groupSize = 1
  public var maxLength = 2048
  public var saveSteps = 0

  public init() {}

  public var isOn: Bool { !model.isEmpty }

  /// As the trainer takes them.
  func options(seed: UInt64) throws -> RankerTrainingOptions {
    guard kind != .pairrm else {
      throw RecipeError.trainedRanker(
        "kind is pairrm, and a run trains gpm or bradley-terry; train a pairrm by "
          + "`spar train-ranker --kind pairrm` and name it as ranker.model")
    }
    var options = RankerTrainingOptions()
    options.head = RankerHead(
      kind: kind, dimension: valueHeadDim, gate: gate, normalises: l2)
    options.loss.tau = tau > 0 ? tau : kind.defaultTau
    options.scope = scope
    options.adapters.rank = loraRank
    options.adapters.alpha = loraAlpha
    options.groupSize = groupSize
    options.maxLength = maxLength
    options.training.learningRate = learningRate > 0 ? learningRate : scope.defaultLearningRate
    options.training.epochs = epochs
    options.training.perDeviceBatch = batchSize
    options.training.saveSteps = saveSteps
    options.training.seed = seed
    try options.validate()
    return options
  }

  func bootstrapOptions(seed: UInt64) throws -> BootstrapOptions {
    var options = bootstrapping
    options.seed = seed
    try options.validate()
    return options
  }
}

extension Recipe {
  /// Stands for the path of a ranker that is not trained yet, in checks and keys.
  static let trainedPath = "(trained by this run)"

  /// The ranker; if the run trains one itself, it is found at `path`.
  ///
  /// - Throws: where the run trains a ranker that its `ranker` would not use, or use otherwise.
  func ranker(trained path: String = Recipe.trainedPath) throws(RecipeError) -> PluginChoice {
    guard trainRanker.isOn else { return ranker }
    let kind = trainRanker.kind.rawValue
    let parts = try ranker.rankers()
    guard let part = parts.first(where: { $0.choice.name.replacing("_", with: "-") == kind }) else {
      throw .trainedRanker(
        "ranker is \(ranker.name), so nothing would use the \(kind) that train_ranker trains; "
          + "name it there, or leave train_ranker.model empty")
    }
    for option in part.choice.options.keys.sorted()
    where option.replacing("_", with: "-") != "max-tokens" {
      throw .trainedRanker(
        "ranker.\(option) is given, but the \(kind) is the one that train_ranker trains, which "
          + "decides that; leave it out")
    }
    var choice = ranker
    choice.options[ranker.isMix ? "\(part.choice.name).model" : "model"] = path
    return choice
  }
}

extension Recipe {
  /// The trained ranker at `path` by itself, without what a mix would add.
  func trainedRanker(_ path: String) throws(RecipeError) -> PluginChoice {
    let kind = trainRanker.kind.rawValue
    for part in try ranker(trained: path).rankers()
    where part.choice.name.replacing("_", with: "-") == kind { return part.choice }
    preconditionFailure("ranker(trained:) has seen it")
  }
}

extension EvaluateSettings {
  /// The stages of other rankers, by name; what cannot be read is told elsewhere.
  var checkStages: [String] {
    checks.split(separator: ",").map {
      RunTarget.check + $0.trimmingCharacters(in: .whitespaces)
    }
  }

  /// Other rankers that judge the held-out answers, with their options.
  public func otherRankers() throws(RecipeError) -> [PluginChoice] {
    var found = checks.split(separator: ",").map {
      PluginChoice($0.trimmingCharacters(in: .whitespaces))
    }
    for (place, choice) in found.enumerated() {
      let isSound = !choice.name.isEmpty && !choice.isMix && !choice.name.contains("/")
      guard isSound, !found[..<place].contains(where: { $0.name == choice.name }) else {
        throw .checks(text: checks, problem: "\"\(choice.name)\" is no name, or comes twice")
      }
    }
    for (option, value) in checkOptions {
      let path = option.split(separator: ".", maxSplits: 1).map(String.init)
      guard path.count == 2,
        let place = found.firstIndex(where: {
          $0.name.replacing("-", with: "_") == path[0].replacing("-", with: "_")
        })
      else {
        throw .checks(
          text: checks,
          problem: "evaluate.check.\(option) is for none of them; write "
            + "evaluate.check.RANKER.OPTION for one that evaluate.checks names")
      }
      found[place].options[path[1]] = value
    }
    return found
  }
}
