/// How a prompt and two answers become one sequence of tokens:
///
///     [CLS] <|source|> x… [SEP] [CLS] <|candidate1|> y_i… [SEP] [CLS] <|candidate2|> y_j… [SEP]
///
/// Each part is cut at its end.  What the source leaves of its limit is shared by the candidates:
/// their limit is candidateMaxLength + ⌊(sourceMaxLength − source tokens) / 2⌋, per prompt.
/// Source: Jiang et al. 2023, arXiv:2306.02561, and LLM-Blender's code.
public struct PairInput {
  /// Ids of tokens with a part to play.  The defaults are those of DeBERTa-v3 and PairRM.
  public struct Marks: Equatable, Sendable {
    public var cls: Int32 = 1
    public var sep: Int32 = 2
    public var source: Int32 = 128_001
    public var candidate1: Int32 = 128_002
    public var candidate2: Int32 = 128_003
    public var candidate: Int32 = 128_004

    /// As the vocabulary spells them; `find` gives nil for what it does not hold.
    public init(find: (String) throws -> Int32?) rethrows {
      cls = try find("[CLS]") ?? cls
      sep = try find("[SEP]") ?? sep
      source = try find("<|source|>") ?? source
      candidate1 = try find("<|candidate1|>") ?? candidate1
      candidate2 = try find("<|candidate2|>") ?? candidate2
      candidate = try find("<|candidate|>") ?? candidate
    }

    public var all: [Int32] { [cls, sep, source, candidate1, candidate2, candidate] }
  }

  /// Tokens of a sequence, and the rows whose hidden states the head reads.
  public struct Pair: Equatable, Sendable {
    public var ids: [Int32]
    /// Rows of <|source|>, <|candidate1|> and <|candidate2|>.
    public var rows: [Int]
  }

  /// Least tokens of a part: [CLS], its mark and [SEP].
  public static let frame = 3

  public var marks: Marks
  /// Tokens of the source part, and of a candidate's beside a source that fills its own, frames
  /// included.
  public var sourceMaxLength: Int
  public var candidateMaxLength: Int

  public init(marks: Marks, sourceMaxLength: Int, candidateMaxLength: Int) {
    self.marks = marks
    self.sourceMaxLength = sourceMaxLength
    self.candidateMaxLength = candidateMaxLength
  }

  /// [CLS] mark text… [SEP] in at most `limit` tokens.
  private func part(_ mark: Int32, _ text: [Int32], limit: Int) -> [Int32] {
    [marks.cls, mark] + text.prefix(max(0, limit - Self.frame)) + [marks.sep]
  }

  /// The source part of a prompt's tokens.
  public func source(_ text: [Int32]) -> [Int32] {
    part(marks.source, text, limit: sourceMaxLength)
  }

  /// The candidate parts beside a source part of so many tokens.
  public func candidates(_ texts: [[Int32]], besideSource tokens: Int) -> [[Int32]] {
    let limit = candidateMaxLength + (sourceMaxLength - tokens) / 2
    return texts.map { part(marks.candidate, $0, limit: limit) }
  }

  /// The sequence of a source part and two candidate parts.
  public func pair(_ source: [Int32], _ first: [Int32], _ second: [Int32]) -> Pair {
    func marked(_ part: [Int32], _ mark: Int32) -> [Int32] {
      part.map { $0 == marks.candidate ? mark : $0 }
    }
    return Pair(
      ids: source + marked(first, marks.candidate1) + marked(second, marks.candidate2),
      rows: [1, source.count + 1, source.count + first.count + 1])
  }

  /// A separator in the text must not look like one of ours.
  public static func cleaned(_ text: String) -> String {
    var rest = text[...]
    var clean = ""
    while let at = rest.firstRange(of: "[SEP]") {
      clean += rest[..<at.lowerBound] + " "
      rest = rest[at.upperBound...]
    }
    return clean + rest
  }
}
