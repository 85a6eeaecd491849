/// Comparisons as token ids, every prompt and every answer once.
public struct RankerData: Equatable, Sendable {
  /// An answer with its prompt.
  public struct Sequence: Equatable, Sendable {
    /// Index in `prefixes`.
    public var prefix: Int
    /// Ids after the prefix; at least one.
    public var ids: [Int32]
  }

  /// One comparison: the first answer is the better one with `probability`.
  public struct Pair: Equatable, Sendable {
    /// Indices in `sequences`.
    public var chosen: Int
    public var rejected: Int
    public var probability: Double
    public var margin: Double

    public init(chosen: Int, rejected: Int, probability: Double = 1, margin: Double = 0) {
      self.chosen = chosen
      self.rejected = rejected
      self.probability = probability
      self.margin = margin
    }
  }

  /// Ids of prompts up to the answer; their last row is where the gate reads.
  public private(set) var prefixes: [[Int32]] = []
  public private(set) var sequences: [Sequence] = []
  public var pairs: [Pair] = []
  private var prefixIndex: [[Int32]: Int] = [:]
  private var sequenceIndex: [[Int32]: Int] = [:]

  public init() {}

  /// The index of `answer` after `prompt`; equal ones share it.
  ///
  /// - Precondition: neither is empty.
  public mutating func add(prompt: [Int32], answer: [Int32]) -> Int {
    precondition(!prompt.isEmpty && !answer.isEmpty, "a prompt and an answer have tokens")
    let prefix = prefixIndex[prompt] ?? prefixes.count
    if prefix == prefixes.count {
      prefixes.append(prompt)
      prefixIndex[prompt] = prefix
    }
    // The prefix's number cannot be mistaken for an id: it stands first.
    let key = [Int32(prefix)] + answer
    let index = sequenceIndex[key] ?? sequences.count
    if index == sequences.count {
      sequences.append(Sequence(prefix: prefix, ids: answer))
      sequenceIndex[key] = index
    }
    return index
  }

  /// Only the pairs at `indices`; prompts and answers stay.
  public func keeping(_ indices: some Swift.Sequence<Int>) -> RankerData {
    var part = self
    part.pairs = indices.map { pairs[$0] }
    return part
  }

  /// Sequences that some pair names, in order.
  var usedSequences: [Int] {
    Set(pairs.flatMap { [$0.chosen, $0.rejected] }).sorted()
  }

  /// Share of comparisons that the longer answer wins, of those with different lengths and a clear
  /// side: what a ranker must beat.
  public var longerWins: Double? {
    var (wins, count) = (0, 0)
    for pair in pairs where pair.probability != 0.5 {
      let difference = sequences[pair.chosen].ids.count - sequences[pair.rejected].ids.count
      guard difference != 0 else { continue }
      count += 1
      wins += (difference > 0) == (pair.probability > 0.5) ? 1 : 0
    }
    return count == 0 ? nil : Double(wins) / Double(count)
  }
}
