import SparData
import SparGeneration
import SparPreference
import SparRanking
import SparTraining

/// Everything that a run does, in typed values.  `SettingTable` names each field for users.
public struct Recipe: Equatable, Sendable {
  public var run = RunSettings()
  /// Seed, iteration and shard are the run's business and are filled in when a stage starts.
  public var generate = GenerationOptions()
  public var ranker = PluginChoice("likelihood")
  public var trainRanker = TrainRankerSettings()
  public var rank = RankSettings()
  public var objective = PluginChoice("sppo")
  public var train = TrainingOptions()
  public var evaluate = EvaluateSettings()
  public var plan = PlanSettings()

  public init() {}

  /// How conversations become ids, in generation and in training.
  public var render: PromptRendering {
    get { generate.rendering }
    set {
      generate.rendering = newValue
      train.rendering = newValue
    }
  }

  /// The seed that training shuffles with.
  public var trainingSeed: UInt64 { run.trainSeed > 0 ? run.trainSeed : run.seed }
}

public struct RunSettings: Equatable, Sendable {
  /// Which of the recipe's presets is applied; empty where it has none.
  public var preset = ""
  /// π_1: a name that `spar model fetch` knows, a .gguf file, a folder or a checkpoint.
  public var model = ""
  /// Data of training prompts.
  public var prompts = ""
  public var outputDir = "checkpoints/run"
  public var iterations = 3
  /// 0 = all prompts, split evenly over the iterations.
  public var promptsPerIteration = 0
  public var seed: UInt64 = 42
  /// Of training alone; 0 = `seed`.
  public var trainSeed: UInt64 = 0
  /// Empty = the best that this machine can use.
  public var backend = ""
  /// 0 = all cores.
  public var threads = 0

  public init() {}
}

public struct RankSettings: Equatable, Sendable {
  public var rule = ProbabilityRule.meanOfOrders
  public var selection = PairSelection()
  public var input = RankerInput.raw

  public init() {}
}

public struct EvaluateSettings: Equatable, Sendable {
  /// Data of held-out prompts.
  public var prompts = ""
  /// The first so many of them; 0 = all.
  public var count = 0
  /// Answers per held-out prompt and model.
  public var pairs = 1
  /// Other rankers that judge the same answers: names, comma-separated.
  public var checks = ""
  /// Their options: "likelihood.model" → text.
  public var checkOptions: [String: String] = [:]
  /// Resamples of the bootstrap interval.
  public var resamples = 2000
  /// Prompts whose answers the report shows.
  public var examples = 3

  public init() {}
}
