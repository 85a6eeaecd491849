import Foundation

/// What a run will do, need and take, reckoned from its settings and sizes; nothing is run.
///
/// A stage's time is the larger of two bounds, for each of its kinds of work: its operations at the
/// share of the machine's product rate that such stages reach, and the bytes that it must read at
/// the machine's memory rate.  With N prompts of p tokens and K answers of a tokens, W weights of
/// the layers and H of the head:
///
///     generate  2·W·N·p + 2·(W + H)·N·K·a, the weights read once for every step of a batch
///     rank      answers: 2·(W + H)·N·(p + K·a);  pairs: N·(p + K·a + K(K−1)·a) tokens with a
///               decoder, N·K(K−1)·(p + 2·a) with an encoder; attention besides
///     train     4 forward passes over p + m·a tokens: the reference's, and three for the forward
///               and the way back; parameters, gradients and moments read and written every step
public struct RunForecast: Equatable, Sendable, Encodable {
  public struct Stage: Equatable, Sendable, Encodable {
    public var stage: String
    /// How often the run does it.
    public var times: Int
    /// Prompts, and answers that are written, read or trained on, each time.
    public var prompts: Int
    public var answers: Int
    /// Tokens that go through the model each time.
    public var tokens: Double
    public var operations: Double
    public var seconds: Double
    /// Bytes held while it runs.
    public var memoryBytes: Double
  }

  /// A part of the memory, and the stages that hold it.
  public struct Holding: Equatable, Sendable, Encodable {
    public var name: String
    public var bytes: Double
  }

  /// Sizes and amounts that the settings do not say.
  public struct Work: Equatable, Sendable, Encodable {
    /// Of one iteration, and for evaluation.
    public var prompts: Int
    public var heldout: Int
    public var promptTokens: Double
    public var answerTokens: Double
    /// nil where the run trains no ranker of its own.
    public var ranker: RankerWork?

    public init(
      prompts: Int, heldout: Int, promptTokens: Double, answerTokens: Double,
      ranker: RankerWork? = nil
    ) {
      self.ranker = ranker
      self.prompts = prompts
      self.heldout = heldout
      self.promptTokens = promptTokens
      self.answerTokens = answerTokens
    }
  }

  public var parameters: Double
  public var rankerParameters: Double?
  public var work: Work
  public var rates: MachineRates
  public var stages: [Stage]
  public var holdings: [Holding]
  /// Of the stage that holds most, and of this machine.
  public var peakBytes: Double
  public var totalBytes: Double
  public var seconds: Double
  /// Where sizes and amounts are from, and what is missing for the run itself.
  public var notes: [String]

  public var fits: Bool { peakBytes <= totalBytes }

  public init(
    _ recipe: Recipe, policy: PlannedModel, ranker: PlannedModel?, work: Work, rates: MachineRates,
    totalBytes: Double, notes: [String] = []
  ) {
    let reckoning = Reckoning(
      recipe: recipe, policy: policy, ranker: ranker, work: work, rates: rates)
    parameters = policy.parameters
    rankerParameters = ranker?.parameters
    self.work = work
    self.rates = rates
    self.totalBytes = totalBytes
    self.notes = notes
    holdings = reckoning.holdings
    stages = reckoning.stages
    peakBytes = stages.map(\.memoryBytes).max() ?? 0
    seconds = stages.reduce(0) { $0 + Double($1.times) * $1.seconds }
  }
}

/// The arithmetic of a forecast.
struct Reckoning {
  var recipe: Recipe
  var policy: PlannedModel
  var ranker: PlannedModel?
  var work: RunForecast.Work
  var rates: MachineRates

  var promptTokens: Double { work.promptTokens }
  private var answerTokens: Double { work.answerTokens }

  // MARK: - Memory

  var weights: Double { 4 * policy.parameters }
  private var rankerWeights: Double { 4 * (ranker?.parameters ?? 0) }

  var cache: Double {
    let batch = Double(recipe.generate.batchSize)
    let prompts = 2 * batch / Double(recipe.generate.pairs) + 2
    let logits = 4 * batch * Double(policy.vocabularySize)
    return policy.cacheBytesPerToken
      * (batch * Double(recipe.generate.maxNewTokens) + prompts * promptTokens) + logits
  }

  /// Gradients and the optimizer's moments.
  private var states: Double {
    let moments = recipe.train.optimizer == .adamw ? 2.0 : recipe.train.momentum > 0 ? 2 : 1
    return weights * (1 + moments)
  }

  private var kept: Double { Double(recipe.train.tokensPerPass) * policy.keptBytesPerRow }

  var holdings: [RunForecast.Holding] {
    var found = [
      RunForecast.Holding(name: "policy's weights (f32, all stages)", bytes: weights),
      RunForecast.Holding(
        name: "keys and values of \(recipe.generate.batchSize) answers (generate)", bytes: cache),
      RunForecast.Holding(
        name: "gradients and \(recipe.train.optimizer.rawValue)'s moments (train)", bytes: states),
      RunForecast.Holding(
        name: "rows of a pass of \(recipe.train.tokensPerPass) (train)", bytes: kept),
    ]
    if ranker != nil {
      found.append(
        RunForecast.Holding(name: "ranker's weights (f32, from rank on)", bytes: rankerWeights))
    }
    return found
  }

  // MARK: - Stages

  var stages: [RunForecast.Stage] {
    let rounds = recipe.run.iterations
    let heldoutPairs = recipe.evaluate.pairs
    return rankerStages + [
      generate("heldout", times: rounds + 1, prompts: work.heldout, pairs: heldoutPairs),
      generate(
        "generate", times: rounds, prompts: work.prompts, pairs: recipe.generate.pairs),
      rank("rank", times: rounds, prompts: work.prompts, answers: recipe.generate.pairs),
      train(times: rounds),
      // The policy's answers are compared with the base model's.
      rank("evaluate", times: rounds, prompts: work.heldout * heldoutPairs, answers: 2),
    ]
  }

  /// Seconds that operations and bytes take at the least.
  func seconds(_ stage: String, operations: Double, bytes: Double = 0) -> Double {
    max(operations / (rates.products * StageShares.of(stage)), bytes / rates.memory)
  }

  private func generate(
    _ stage: String, times: Int, prompts: Int, pairs: Int
  ) -> RunForecast.Stage {
    generation(
      stage, by: policy, times: times, prompts: prompts, answers: prompts * pairs,
      answerTokens: answerTokens,
      memoryBytes: weights + cache + (stage == "heldout" ? rankerWeights : 0))
  }

  func generation(
    _ stage: String, by model: PlannedModel, times: Int, prompts: Int, answers: Int,
    answerTokens: Double, memoryBytes: Double
  ) -> RunForecast.Stage {
    let read = Double(prompts) * promptTokens
    let prefill = model.forward(read, context: promptTokens / 2)
    let tokens = Double(answers) * answerTokens
    let decode =
      model.forward(tokens, context: promptTokens + answerTokens / 2)
      + 2 * model.headWeights * tokens
    let steps = tokens / min(Double(recipe.generate.batchSize), max(Double(answers), 1))
    let bytes = steps * 4 * (model.denseWeights + model.headWeights)
    return RunForecast.Stage(
      stage: stage, times: times, prompts: prompts, answers: answers,
      tokens: read + tokens, operations: prefill + decode,
      seconds: seconds(stage, operations: prefill)
        + seconds(stage, operations: decode, bytes: bytes),
      memoryBytes: memoryBytes)
  }

  private func rank(
    _ stage: String, times: Int, prompts: Int, answers: Int
  ) -> RunForecast.Stage {
    let (n, k, passes) = (Double(prompts), Double(answers), Double(recipe.plan.rankerPasses))
    var tokens = 0.0
    var operations = 0.0
    if let ranker, recipe.plan.rankerReads != .nothing {
      let readsPairs =
        recipe.plan.rankerReads == .automatic
        ? ranker.isEncoder : recipe.plan.rankerReads == .pairs
      var context = promptTokens + answerTokens
      if readsPairs {
        context += answerTokens
        tokens =
          ranker.isEncoder
          ? k * (k - 1) * context : promptTokens + k * answerTokens + k * (k - 1) * answerTokens
      } else {
        tokens = promptTokens + k * answerTokens
      }
      tokens *= n * passes
      // A decoder's token sees half of them on average.
      operations =
        ranker.forward(tokens, context: ranker.isEncoder ? context : context / 2)
        + 2 * ranker.headWeights * tokens
    }
    return RunForecast.Stage(
      stage: stage, times: times, prompts: prompts, answers: prompts * answers, tokens: tokens,
      operations: operations, seconds: seconds(stage, operations: operations),
      memoryBytes: weights + rankerWeights)
  }

  private func train(times: Int) -> RunForecast.Stage {
    let trained = recipe.train.pairing == .bestWorst ? 2 : recipe.generate.pairs
    let limit = Double(recipe.train.maxLength)
    let prompt = min(promptTokens, Double(recipe.train.maxPromptLength))
    let answer = min(answerTokens, max(limit - prompt, 1))
    let steps =
      recipe.train.maxSteps > 0
      ? Double(recipe.train.maxSteps)
      : (recipe.train.epochs * Double(work.prompts) / Double(recipe.train.batchSize))
        .rounded(.up)
    let groups =
      recipe.train.maxSteps > 0
      ? steps * Double(recipe.train.batchSize) : recipe.train.epochs * Double(work.prompts)
    let scored = Double(trained) * answer
    func pass(_ groups: Double) -> Double {
      policy.forward(groups * (prompt + scored), context: prompt + answer / 2)
        + 2 * policy.headWeights * groups * scored
    }
    let reference = recipe.train.referenceFromGeneration ? 0 : pass(Double(work.prompts))
    // The head is computed again on the way back.
    let way = 3 * pass(groups) + 2 * policy.headWeights * groups * scored
    // Parameters and moments are read and written, gradients read and cleared.
    let traffic = steps * 2 * (weights + states)
    return RunForecast.Stage(
      stage: "train", times: times, prompts: work.prompts, answers: trained * work.prompts,
      tokens: groups * (prompt + scored), operations: reference + way,
      seconds: seconds("train", operations: reference + way) + traffic / rates.memory,
      memoryBytes: weights + states + kept + rankerWeights)
  }
}
