import SparData
import SparGeneration
import SparRankerTraining

extension RunForecast {
  /// What a run that trains its own ranker does before the first iteration.
  public struct RankerWork: Equatable, Sendable, Encodable {
    /// Prompts that comparisons are made of, and the answers to each; 0 where a data set has them.
    public var prompts: Int
    public var answersEach: Int
    /// Comparisons to learn from, and held out.
    public var comparisons: Int
    public var heldout: Int
    public var answerTokens: Double

    public init(
      prompts: Int, answersEach: Int, comparisons: Int, heldout: Int, answerTokens: Double
    ) {
      self.prompts = prompts
      self.answersEach = answersEach
      self.comparisons = comparisons
      self.heldout = heldout
      self.answerTokens = answerTokens
    }
  }
}

extension RunForecast.RankerWork {
  /// As the recipe has it; every prompt is taken to give a comparison of each kind.
  ///
  /// - Returns: nil where no ranker is trained.
  init?(_ recipe: Recipe, answerTokens: Double) throws {
    let settings = recipe.trainRanker
    guard settings.isOn else { return nil }
    let options = try settings.bootstrapOptions(seed: recipe.run.seed)
    guard !settings.bootstrap.isEmpty else {
      let count = try ComparisonRow.read(settings.dataset).count
      let heldout = Int(options.heldoutShare * Double(count))
      self.init(
        prompts: 0, answersEach: 0, comparisons: count - heldout, heldout: heldout,
        answerTokens: answerTokens)
      return
    }
    let all = try Prompt.read(settings.bootstrap).count
    let prompts = options.count > 0 ? min(options.count, all) : all
    let heldout = Int(options.heldoutShare * Double(prompts))
    self.init(
      prompts: prompts, answersEach: options.kinds.contains(.derailed) ? 2 : 1,
      comparisons: (prompts - heldout) * options.kinds.count,
      heldout: heldout * options.kinds.count, answerTokens: Double(options.maxNewTokens))
  }
}

extension Reckoning {
  /// Bootstrapping, training and evaluation of the run's own ranker, with B comparisons of answers
  /// of a tokens: B·(p + 2·a) tokens once for a head, three times in each epoch where the
  /// transformer learns, too; none where no ranker is trained.
  var rankerStages: [RunForecast.Stage] {
    guard let own = work.ranker, let backbone = ranker else { return [] }
    var stages: [RunForecast.Stage] = []
    let held = weights + 4 * backbone.parameters
    if own.prompts > 0 {
      stages.append(
        generation(
          "bootstrap", by: backbone, times: 1, prompts: own.prompts,
          answers: own.prompts * own.answersEach, answerTokens: own.answerTokens,
          memoryBytes: held + cache))
    }
    let isHead = recipe.trainRanker.scope == .head
    let passes = isHead ? 1 : 3 * recipe.trainRanker.epochs
    // Gradients and AdamW's two moments.
    let states = recipe.trainRanker.scope == .full ? 3 * 4 * backbone.parameters : 0
    stages.append(
      reading("train-ranker", own.comparisons, passes, backbone, held + states))
    if own.heldout > 0 {
      stages.append(reading("evaluate-ranker", own.heldout, 1, backbone, held))
    }
    return stages

    func reading(
      _ stage: String, _ count: Int, _ passes: Double, _ model: PlannedModel, _ memory: Double
    ) -> RunForecast.Stage {
      let tokens = Double(count) * (promptTokens + 2 * own.answerTokens) * passes
      let operations = model.forward(tokens, context: (promptTokens + own.answerTokens) / 2)
      return RunForecast.Stage(
        stage: stage, times: 1, prompts: count, answers: 2 * count, tokens: tokens,
        operations: operations, seconds: seconds(stage, operations: operations),
        memoryBytes: memory)
    }
  }
}
