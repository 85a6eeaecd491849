import SparTensor

/// A way to spoil a good answer, so that a comparison comes about without anybody's judgement.
public enum Corruption: String, Codable, Sendable, CaseIterable {
  /// A good answer, but to another prompt.
  case otherPrompt = "other-prompt"
  /// The answer breaks off in the middle of a sentence.
  case cut
  /// The same words in another order.
  case shuffled
  /// Some way into the answer its last few words come again and again.
  case repeated
  /// What the model itself says at a temperature at which it loses the thread.
  case derailed

  /// The answer spoiled; nil where it is too short for that, or comes out as it was.
  ///
  /// - Precondition: `other-prompt` and `derailed` are made of other answers, not of this text.
  func spoil(_ answer: String, _ random: inout Random) -> String? {
    let words = AnswerWords(answer)
    guard words.count >= Self.fewestWords else { return nil }
    let spoiled =
      switch self {
      case .cut: Self.cut(words, &random)
      case .shuffled: Self.shuffled(words, &random)
      case .repeated: Self.repeated(words, &random)
      case .otherPrompt, .derailed:
        preconditionFailure("\(rawValue) is made of another answer")
      }
    return spoiled == answer ? nil : spoiled
  }

  static let fewestWords = 4

  /// Keeps 30 to 80 % of the words and no full stop, comma or the like behind the last of them.
  private static func cut(_ words: AnswerWords, _ random: inout Random) -> String {
    let share = 0.3 + 0.5 * random.uniform()
    let count = min(max(Int(share * Double(words.count)), 2), words.count - 1)
    var text = words.text(0..<count)
    while let last = text.last, last.isPunctuation, text.count > 1 { text.removeLast() }
    return text
  }

  /// White space stays where it is, so lines and length do.
  private static func shuffled(_ words: AnswerWords, _ random: inout Random) -> String {
    words.text(order: random.permutation(words.count))
  }

  /// Repeats 2 to 5 words, from 20 to 60 % of the answer on, until it is 1 to 1½ times as long.
  private static func repeated(_ words: AnswerWords, _ random: inout Random) -> String {
    let kept = max(2, Int((0.2 + 0.4 * random.uniform()) * Double(words.count)))
    let span = min(2 + Int(random.uniform() * 4), kept)
    let target = Int((1 + 0.5 * random.uniform()) * Double(words.count))
    var text = words.text(0..<kept)
    var count = kept
    while count < max(target, kept + span) {
      text += words.joint + words.text((kept - span)..<kept).trimmed
      count += span
    }
    return text
  }
}

/// An answer as words and the white space before each; as characters where it has no words to
/// speak of, as in Chinese or Japanese.
struct AnswerWords {
  private var words: [String] = []
  /// White space before each word.
  private var gaps: [String] = []
  /// What stands between words that are put side by side.
  let joint: String

  var count: Int { words.count }

  init(_ text: String) {
    var isInWord = false
    var gap = ""
    for character in text {
      if character.isWhitespace {
        gap.append(character)
        isInWord = false
      } else if isInWord {
        words[words.count - 1].append(character)
      } else {
        words.append(String(character))
        gaps.append(gap)
        gap = ""
        isInWord = true
      }
    }
    let characters = words.reduce(0) { $0 + $1.count }
    // The longest words of European prose stay under this mean by far.
    guard words.count > 0, characters > 20 * words.count else {
      joint = " "
      return
    }
    let all = zip(gaps, words).flatMap { gap, word in
      word.enumerated().map { ($0.offset == 0 ? gap : "", String($0.element)) }
    }
    gaps = all.map(\.0)
    words = all.map(\.1)
    joint = ""
  }

  /// The words of `range`, with the white space between them.
  func text(_ range: Range<Int>) -> String {
    range.reduce(into: "") { $0 += ($1 > range.lowerBound ? gaps[$1] : "") + words[$1] }
  }

  /// All words in another order.
  func text(order: [Int]) -> String {
    order.enumerated().reduce(into: "") { $0 += gaps[$1.offset] + words[$1.element] }
  }
}

extension String {
  /// Without white space at either end.
  var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// Up to the last end of a sentence; nil where there is none.
  ///
  /// A full stop counts at the end of the text and before white space, and not after a digit, where
  /// it mostly numbers a list.  A closing quote or bracket behind it belongs to the sentence.
  var wholeSentences: String? {
    let characters = Array(trimmed)
    var end: Int?
    for (place, character) in characters.enumerated() {
      let isWide = "。！？".contains(character)
      guard isWide || ".!?".contains(character) else { continue }
      if character == ".", place > 0, characters[place - 1].isNumber { continue }
      var after = place + 1
      while after < characters.count, "\"'”’)]」』".contains(characters[after]) { after += 1 }
      if isWide || after == characters.count || characters[after].isWhitespace { end = after }
    }
    return end.map { String(characters[..<$0]) }
  }
}
