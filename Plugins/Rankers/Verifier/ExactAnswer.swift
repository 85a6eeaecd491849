import SparPluginKit

/// The final number of an answer equals that of the reference, as GSM8K is marked.
///
/// The number is what follows the last "####", else the last number in the text.  Commas of
/// thousands, a currency sign, a percent sign and a closing full stop do not count; 18, 18.0 and
/// 18.00 are equal.  Source: Cobbe et al. 2021, arXiv:2110.14168, whose references end "#### N".
struct ExactAnswerRule: AnswerRule {
  let column: String

  func prepared(for query: Query) throws -> (String) -> Double {
    let reference: String
    switch try query.column(column) {
    case .string(let text): reference = text
    case .number(let value):
      reference = value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    default: throw PluginFailure("column \(column) of prompt \(query.brief) is no text or number")
    }
    let expected = Self.final(reference)
    return { Self.final($0) == expected ? 1 : 0 }
  }

  /// The normalised final answer; empty where there is none, which equals nothing.
  static func final(_ text: String) -> FinalAnswer {
    if let mark = text.lastRange(of: "####") {
      let line = text[mark.upperBound...].prefix { !$0.isNewline }
      return FinalAnswer(String(line).trimmed)
    }
    if let number = lastNumber(in: text) { return FinalAnswer(number) }
    return FinalAnswer(text.trimmed)
  }

  /// The last run that reads as a number: "-1,234.5".
  static func lastNumber(in text: String) -> String? {
    var (last, run): (String?, String) = (nil, "")
    func isDigit(_ c: Character) -> Bool { ("0"..."9").contains(c) }
    var previous: Character = " "
    for character in text + " " {
      let belongs =
        isDigit(character)
        || (!run.isEmpty && (character == "," || character == "."))
        || (run.isEmpty && character == "-" && !previous.isLetter && !isDigit(previous))
      if belongs {
        run.append(character)
      } else {
        if run.contains(where: isDigit) { last = run }
        run = ""
      }
      previous = character
    }
    return last
  }
}

/// A final answer as it is compared: by value where it is a number, else by its letters.
struct FinalAnswer: Equatable {
  private let text: String
  private let number: Decimal?

  init(_ written: String) {
    var text = written
    while let last = text.last, [".", ",", "%", " "].contains(last) { text.removeLast() }
    text.removeAll { $0 == "," || $0 == "$" || $0 == "€" || $0 == "£" }
    text = text.trimmed
    self.text = text.lowercased()
    number = Decimal(text)
  }

  static func == (a: Self, b: Self) -> Bool {
    if let a = a.number, let b = b.number { return a == b }
    return !a.text.isEmpty && a.text == b.text
  }
}

/// A decimal number by its digits, so that large ones compare exactly.
struct Decimal: Equatable {
  private let isNegative: Bool
  private let whole: String
  private let fraction: String

  init?(_ text: String) {
    var rest = text[...]
    var isNegative = false
    if let sign = rest.first, sign == "-" || sign == "+" {
      isNegative = sign == "-"
      rest = rest.dropFirst()
    }
    let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = parts.joined()
    guard !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
    let whole = String(parts[0].drop { $0 == "0" })
    var fraction = parts.count > 1 ? String(parts[1]) : ""
    while fraction.hasSuffix("0") { fraction.removeLast() }
    self.whole = whole
    self.fraction = fraction
    self.isNegative = isNegative && !(whole.isEmpty && fraction.isEmpty)
  }
}

extension String {
  /// The last occurrence of `other`.
  func lastRange(of other: String) -> Range<String.Index>? {
    ranges(of: other).last
  }
}
