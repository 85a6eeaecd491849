import SparTraining

extension SettingTable {
  static let trainSettings: [Setting] = stepSettings + updateSettings + dataSettings

  private static let stepSettings: [Setting] = [
    .number(
      "train.learning_rate", \.train.learningRate, in: .atLeastZero,
      aliases: ["learning_rate", "lr"], "peak step size"),
    .choice(
      "train.lr_scheduler_type", \.train.schedule, aliases: ["lr_scheduler_type"],
      spellings: ["constant_with_warmup": .constant],
      "how the step size falls"),
    .number(
      "train.warmup_ratio", \.train.warmupRatio, in: NumberRange(0, 1),
      aliases: ["warmup_ratio"], "part of the steps in which the step size rises"),
    .integer(
      "train.warmup_steps", \.train.warmupSteps, in: 0...Int.max, aliases: ["warmup_steps"],
      "the same in steps; above 0 it wins"),
    .number(
      "train.num_train_epochs", \.train.epochs, in: .positive,
      aliases: ["num_train_epochs", "epochs"], "passes over the pairs of an iteration"),
    .number(
      "train.schedule_epochs", \.train.scheduleEpochs, in: .atLeastZero,
      aliases: ["schedule_epochs"], "epochs that the schedule is made for; 0 = num_train_epochs"),
    .integer(
      "train.max_steps", \.train.maxSteps, in: -1...Int.max, aliases: ["max_steps"],
      "steps instead of epochs; 0 or -1 = by epochs"),
    .integer(
      "train.per_device_train_batch_size", \.train.perDeviceBatch, in: 1...Int.max,
      aliases: ["per_device_train_batch_size", "batch_size"],
      "prompts that are counted as one batch"),
    .integer(
      "train.gradient_accumulation_steps", \.train.accumulationSteps, in: 1...Int.max,
      aliases: ["gradient_accumulation_steps", "accumulate"], "batches of one optimizer step"),
    .integer(
      "train.logging_steps", \.train.loggingSteps, in: 1...Int.max, aliases: ["logging_steps"],
      "steps between lines of the log"),
    .integer(
      "train.save_steps", \.train.saveSteps, in: 0...Int.max, aliases: ["save_steps"],
      "steps between checkpoints; 0 = the last only"),
    .integer(
      "train.save_total_limit", \.train.saveTotalLimit, in: 0...Int.max,
      aliases: ["save_total_limit"], "checkpoints to keep; 0 = all"),
  ]

  private static let updateSettings: [Setting] = [
    .choice(
      "train.optim", \.train.optimizer, aliases: ["optim", "optimizer"],
      spellings: ["adamw_torch": .adamw, "adamw_torch_fused": .adamw, "adamw_hf": .adamw],
      "update rule"),
    .number(
      "train.rmsprop_alpha", \.train.alpha, in: NumberRange(0, 1, includesUpper: false),
      aliases: ["rmsprop_alpha"], "decay of RMSprop's mean square"),
    .number(
      "train.momentum", \.train.momentum, in: NumberRange(0, 1, includesUpper: false),
      aliases: ["momentum"], "of RMSprop"),
    .number(
      "train.adam_beta1", \.train.beta1, in: NumberRange(0, 1, includesUpper: false),
      aliases: ["adam_beta1"], "decay of Adam's mean gradient"),
    .number(
      "train.adam_beta2", \.train.beta2, in: NumberRange(0, 1, includesUpper: false),
      aliases: ["adam_beta2"], "decay of Adam's mean square"),
    .number(
      "train.epsilon", \.train.epsilon, in: .positive, aliases: ["adam_epsilon"],
      "added to the root of the mean square"),
    .number(
      "train.weight_decay", \.train.weightDecay, in: .atLeastZero, aliases: ["weight_decay"],
      "of matrices"),
    .number(
      "train.max_grad_norm", \.train.maxGradNorm, in: .atLeastZero, aliases: ["max_grad_norm"],
      "gradients are scaled down to this; 0 = never"),
  ]

  private static let dataSettings: [Setting] = [
    .seed(
      "train.seed", \.run.trainSeed, aliases: ["train_seed"],
      "of the order of training alone; 0 = seed"),
    .integer(
      "train.max_length", \.train.maxLength, in: 2...Int.max, aliases: ["max_length"],
      "tokens of prompt and answer together"),
    .integer(
      "train.max_prompt_length", \.train.maxPromptLength, in: 1...Int.max,
      aliases: ["max_prompt_length"], "tokens of the prompt"),
    .choice(
      "train.truncation_mode", \.train.truncation, aliases: ["truncation_mode"],
      "how longer ones are cut"),
    .truth(
      "train.shuffle", \.train.shuffle, aliases: ["shuffle"], "false = in the order of the file"),
    .integer(
      "train.tokens_per_pass", \.train.tokensPerPass, in: 1...Int.max,
      aliases: ["tokens_per_pass"], "rows computed at once; bounds memory, changes nothing else"),
    .choice(
      "train.pairing", \.train.pairing, aliases: ["pairing"],
      "of K answers: best against worst, all pairs above rank.min_margin, or each by itself"),
    .truth(
      "train.reference_from_generation", \.train.referenceFromGeneration,
      aliases: ["reference_from_generation"],
      "take the reference's log-probabilities from candidates.h5 instead of computing them"),
  ]
}
