import SparData
import SparGeneration
import SparPreference
import SparRanking
import SparTraining

// The rows; a row's stage is the first part of its name.
extension SettingTable {
  static let runSettings: [Setting] = [
    .text("preset", \.run.preset, "which of the recipe's `presets:` is applied"),
    .text(
      "model", \.run.model, aliases: ["model_name_or_path"], isInputPath: true,
      "policy to start from: name, .gguf file, Hugging Face folder or checkpoint"),
    .text(
      "prompts", \.run.prompts, aliases: ["dataset_name"], isInputPath: true,
      "file, folder, pattern or mixture a.parquet:0.5,b.jsonl of prompts (docs/data.md); "
        + "{t} in it is the iteration's number"),
    .text("output_dir", \.run.outputDir, "folder of the run"),
    .integer("iterations", \.run.iterations, in: 1...1000, "rounds of self-play"),
    .integer(
      "prompts_per_iteration", \.run.promptsPerIteration, in: 0...Int.max,
      "fresh prompts of each round; 0 = all, split evenly"),
    .choice(
      "render", \.render,
      "how conversations become ids: by the template, or as the published SPPO code does"),
    .seed("seed", \.run.seed, "of sampling, shuffling and the bootstrap"),
    .text(
      "backend", \.run.backend,
      "compute backend, as NAME or NAME:KEY=VALUE,...; empty = best for this machine"),
    .integer("threads", \.run.threads, in: 0...4096, "0 = all cores"),
  ]

  static let generateSettings: [Setting] = [
    .integer(
      "generate.pairs", \.generate.pairs, in: 1...1024,
      aliases: ["pairs", "num_generations"], "answers per prompt (K)"),
    .integer(
      "generate.max_new_tokens", \.generate.maxNewTokens, in: 1...Int.max,
      aliases: ["max_new_tokens", "maxlen"], "most tokens of one answer"),
    .number(
      "generate.temperature", \.generate.temperature, in: .atLeastZero,
      aliases: ["temperature"], "0 = greedy"),
    .number(
      "generate.top_p", \.generate.topP, in: NumberRange(0, 1, includesLower: false),
      aliases: ["top_p"], "smallest set of tokens with this probability; 1 = off"),
    .integer(
      "generate.top_k", \.generate.topK, in: 0...Int.max, aliases: ["top_k"],
      "most probable tokens only; 0 = off"),
    .integer(
      "generate.batch_size", \.generate.batchSize, in: 1...65536, aliases: ["batch"],
      "sequences decoded together; changes speed only"),
    .integer(
      "generate.frac_len", \.generate.shardLength, in: 0...Int.max, aliases: ["frac_len"],
      "prompts of one shard; 0 = all"),
    .integer(
      "generate.data_frac", \.generate.shard, in: 0...Int.max, aliases: ["data_frac"],
      "which shard"),
  ]

  static let rankerSettings: [Setting] = [
    .text(
      "ranker.name", \.ranker.name, aliases: ["ranker"],
      "ranker plugin; its options are ranker.OPTION (see `spar plugin info`)")
  ]

  static let rankSettings: [Setting] = [
    .choice(
      "rank.probability_rule", \.rank.rule, aliases: ["probability_rule", "prob_rule"],
      spellings: [
        "pair": .meanOfOrders, "gpm_repo": .upstreamTable, "gpm-repo": .upstreamTable,
        "score": .upstreamTable, "sppo_repo": .upstreamScore, "sppo-repo": .upstreamScore,
      ], "win probabilities from raw scores"),
    .number(
      "rank.min_margin", \.rank.selection.minMargin, in: .atLeastZero, aliases: ["min_margin"],
      "a pair's scores differ by more than this"),
    .choice(
      "rank.pair_rule", \.rank.selection.rule, aliases: ["pair_rule"],
      "which pair of each prompt is chosen"),
    .seed("rank.pair_seed", \.rank.selection.seed, aliases: ["pair_seed"], "of random pairs"),
    .choice(
      "rank.input", \.rank.input, aliases: ["ranker_input"],
      "the ranker's prompt: the messages, or as upstream the policy's rendered text"),
    .truth(
      "rank.drop_truncated", \.rank.selection.dropTruncated, aliases: ["drop_truncated"],
      "no answer that reached the length limit becomes part of a pair"),
  ]

  static let objectiveSettings: [Setting] = [
    .text(
      "objective.name", \.objective.name, aliases: ["objective", "loss_type"],
      "objective plugin; its options are objective.OPTION (see `spar plugin info`)")
  ]

  static let evaluateSettings: [Setting] = [
    .text(
      "evaluate.prompts", \.evaluate.prompts, aliases: ["heldout"], isInputPath: true,
      "file, folder, pattern or mixture of held-out prompts"),
    .integer(
      "evaluate.count", \.evaluate.count, in: 0...Int.max, "the first so many; 0 = all"),
    .integer("evaluate.pairs", \.evaluate.pairs, in: 1...64, "answers per prompt and model"),
    .text(
      "evaluate.checks", \.evaluate.checks,
      "other rankers that judge the same answers, comma-separated; their options are "
        + "evaluate.check.RANKER.OPTION"),
    .integer(
      "evaluate.resamples", \.evaluate.resamples, in: 100...1_000_000, "of the bootstrap"),
    .integer(
      "evaluate.examples", \.evaluate.examples, in: 0...100, "answers that the report shows"),
  ]
}
