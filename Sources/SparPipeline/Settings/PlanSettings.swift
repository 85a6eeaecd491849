/// What `spar run --plan` takes for granted where models or data are not on this machine.
public struct PlanSettings: Equatable, Sendable {
  /// How a ranker goes through the answers of a prompt.
  public enum Reading: String, CaseIterable, Sendable, Codable {
    /// By its model: an encoder reads pairs, a decoder answers.
    case automatic
    /// Each answer once, behind a prompt that is computed once.
    case answers
    /// Every ordered pair of two answers; a decoder shares the prompt and the first of them.
    case pairs
    /// No model.
    case nothing
  }

  /// config.json of the policy, where its folder is not here.
  public var model = ""
  /// config.json of the ranker's model, likewise.
  public var ranker = ""
  public var rankerReads = Reading.automatic
  /// Passes of the ranker over what it reads.
  public var rankerPasses = 1
  /// Prompts of an iteration, where the data are not here.
  public var prompts = 0
  /// Mean tokens of a prompt; 0 = by the length of the prompts, 4 bytes a token.
  public var promptTokens = 0
  /// Mean tokens of an answer; 0 = all of max_new_tokens.
  public var answerTokens = 0

  public init() {}
}

extension SettingTable {
  static let planSettings: [Setting] = [
    .text(
      "plan.model", \.plan.model, isInputPath: true,
      "config.json of the policy's shape, for --plan where the model is not here"),
    .text(
      "plan.ranker", \.plan.ranker, isInputPath: true,
      "config.json of the ranker's shape, for --plan where its model is not here"),
    .choice(
      "plan.ranker_reads", \.plan.rankerReads,
      "what the ranker reads of a prompt's answers: each, all ordered pairs, or by its model"),
    .integer(
      "plan.ranker_passes", \.plan.rankerPasses, in: 1...1000,
      "how often it reads that; 2 for likelihood, with the prompt and without"),
    .integer(
      "plan.prompts", \.plan.prompts, in: 0...Int.max,
      "prompts of an iteration, for --plan where the data are not here"),
    .integer(
      "plan.prompt_tokens", \.plan.promptTokens, in: 0...Int.max,
      "mean tokens of a prompt; 0 = a fourth of its bytes"),
    .integer(
      "plan.answer_tokens", \.plan.answerTokens, in: 0...Int.max,
      "mean tokens of an answer; 0 = generate.max_new_tokens"),
  ]
}
