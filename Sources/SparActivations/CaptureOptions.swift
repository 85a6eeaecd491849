import SparModel

/// What is captured of every text, and how it is stored.
public struct CaptureOptions: Equatable, Sendable {
  /// Which tokens of a text get a row.
  public enum Positions: String, CaseIterable, Sendable {
    case all
    /// The last token of the text.
    case last
    /// The tokens of the completion, its end token included.
    case completion
  }

  public var layers = ActivationSelection.Layers.all
  public var sites: Set<ActivationSite> = [.residual]
  public var positions = Positions.all
  public var precision = ActivationPrecision.f32

  public init() {}
}

/// A prompt with answers to it; its rows are computed once for all of them.
public struct CaptureGroup: Equatable, Sendable {
  public struct Answer: Equatable, Sendable {
    public var id: String
    /// Index among the prompt's answers; -1 where there is one text only.
    public var number: Int
    public var ids: [Int32]
    /// +1 chosen, -1 rejected, 0 neither.
    public var label: Int8

    public init(id: String, number: Int = -1, ids: [Int32], label: Int8 = 0) {
      self.id = id
      self.number = number
      self.ids = ids
      self.label = label
    }
  }

  /// Row in the file that it comes from.
  public var index: Int
  /// At least one token.
  public var prompt: [Int32]
  /// A text without a completion is one answer of no tokens.
  public var answers: [Answer]
  /// Optimizer steps that the policy had seen; -1 where nothing is trained.
  public var step: Int

  public init(index: Int, prompt: [Int32], answers: [Answer], step: Int = -1) {
    self.index = index
    self.prompt = prompt
    self.answers = answers
    self.step = step
  }

  /// Rows of a forward pass that it needs.
  public var passRows: Int { answers.reduce(prompt.count) { $0 + $1.ids.count } }
}
