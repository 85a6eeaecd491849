import SparTensor
import SparText

/// A good answer against a spoiled one.
public struct BootstrapComparison: Equatable, Sendable {
  /// The prompt's id in its file.
  public var id: String
  public var prompt: [ChatMessage]
  public var chosen: String
  public var rejected: String
  public var kind: Corruption
  public var isHeldOut: Bool
}

/// Comparisons made of a model's answers, without judgement from elsewhere.
///
///     right answer     ≻ a right answer to another prompt, itself cut, shuffled or repeating itself,
///                        the same model's answer at a high temperature
///
/// Over the prompts of a part (training or held-out) every right answer is once the wrong one of
/// `other-prompt`, so that whoever does not read the prompt has just half of these right.
public struct BootstrapComparisons: Equatable, Sendable {
  /// A prompt and what the model said.
  public struct Answered: Equatable, Sendable {
    public var id: String
    /// Row in the prompt file: names the random stream.
    public var index: Int
    public var prompt: [ChatMessage]
    public var answer: String
    /// Ended by itself, before the limit.
    public var isEnded: Bool
    /// Share of repeated runs of four tokens.
    public var repetition: Double
    /// The same prompt's answer at a high temperature; nil where none is wanted.
    public var derailed: String?

    public init(
      id: String, index: Int, prompt: [ChatMessage], answer: String, isEnded: Bool,
      repetition: Double, derailed: String?
    ) {
      self.id = id
      self.index = index
      self.prompt = prompt
      self.answer = answer
      self.isEnded = isEnded
      self.repetition = repetition
      self.derailed = derailed
    }
  }

  /// In the order of the prompts, those of a prompt together in the order of the kinds.
  public private(set) var rows: [BootstrapComparison] = []
  /// Prompts without a right answer, and comparisons that could not be made, by reason.
  public private(set) var skipped: [String: Int] = [:]

  /// The same answers, options and seed give the same rows.
  public init(_ answered: [Answered], _ options: BootstrapOptions) {
    let heldout = Int(options.heldoutShare * Double(answered.count))
    let cut = answered.count - heldout
    add(answered[..<cut], options, isHeldOut: false)
    add(answered[cut...], options, isHeldOut: true)
  }

  private mutating func add(
    _ answered: ArraySlice<Answered>, _ options: BootstrapOptions, isHeldOut: Bool
  ) {
    var right: [(prompt: Answered, answer: String)] = []
    for prompt in answered {
      guard prompt.repetition <= BootstrapOptions.mostRepetition else {
        skipped["prompts left out, the answer repeats itself", default: 0] += 1
        continue
      }
      let whole = prompt.isEnded ? prompt.answer.trimmed : prompt.answer.wholeSentences
      guard let whole, AnswerWords(whole).count >= Corruption.fewestWords else {
        skipped["prompts left out, no whole sentence of four words", default: 0] += 1
        continue
      }
      right.append((prompt, whole))
    }
    var shuffle = Random(seed: options.seed, stage: .corrupt, item: isHeldOut ? 1 : 0)
    // One circle through all prompts: the answer of each goes to the next.
    let order = shuffle.permutation(right.count)
    var other = [Int](repeating: 0, count: right.count)
    for (place, prompt) in order.enumerated() {
      other[prompt] = order[(place + 1) % order.count]
    }
    for (place, (prompt, answer)) in right.enumerated() {
      for kind in options.kinds {
        var random = Random(
          seed: options.seed, stage: .corrupt, iteration: 1, item: prompt.index,
          sub: Self.number(kind))
        let spoiled: String? =
          switch kind {
          case .otherPrompt: right[other[place]].answer
          case .derailed: prompt.derailed.map { $0.wholeSentences ?? $0.trimmed }
          case .cut, .shuffled, .repeated: kind.spoil(answer, &random)
          }
        guard let spoiled, spoiled != answer, !spoiled.isEmpty else {
          skipped["comparisons left out, nothing to compare", default: 0] += 1
          continue
        }
        rows.append(
          BootstrapComparison(
            id: prompt.id, prompt: prompt.prompt, chosen: answer, rejected: spoiled, kind: kind,
            isHeldOut: isHeldOut))
      }
    }
  }

  /// Of the kind's own random streams, whatever kinds are chosen.
  private static func number(_ kind: Corruption) -> Int {
    Corruption.allCases.firstIndex(of: kind) ?? 0
  }
}
