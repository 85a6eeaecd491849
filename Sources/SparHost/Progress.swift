/// How far a stage has come: what a progress bar, a log line or a script wants to know.
public struct Progress: Sendable, Equatable {
  /// The stage's one name: generate, rank, train, evaluate.
  public var stage: String
  public var done: Double
  public var total: Double
  /// What is counted: "prompts", "steps".
  public var unit: String
  /// A short live figure such as "312 tokens/s" or "loss 0.61".
  public var detail: String

  public init(stage: String, done: Double, total: Double, unit: String, detail: String = "") {
    self.stage = stage
    self.done = done
    self.total = total
    self.unit = unit
    self.detail = detail
  }
}

/// Called often and cheaply from a stage's own thread; who listens decides how often to draw.
public typealias ProgressHandler = (Progress) -> Void
