/// What a run of the stage did.
public struct TrainingResult: Equatable, Sendable {
  /// Optimizer steps of the whole run, those before a resume included.
  public var steps: Int
  /// Steps that this call did.
  public var newSteps: Int
  public var history: [TrainingLogEntry]
  /// Tokens that went through the model in this call: a group's prompt once, and its answers.
  public var tokens: Int
  /// Wall time of the steps of this call.
  public var seconds: Double
  public var checkpoint: String

  public var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}
