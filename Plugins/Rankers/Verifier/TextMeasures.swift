/// Counts that verifiable instructions are about.
extension String {
  var lines: [Substring] { split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) }

  /// Runs of letters, digits and apostrophes.
  private var wordParts: [Substring] {
    split { !($0.isLetter || $0.isNumber || $0 == "'" || $0 == "_") }
  }

  var wordCount: Int { wordParts.count }

  var capitalWordCount: Int {
    wordParts.count { word in word.contains(where: \.isLetter) && word == word.uppercased() }
  }

  /// Texts that end with . ! or ? before white space or the end; what is left counts as one.
  var sentenceCount: Int {
    var count = 0
    var isOpen = false
    var ends = false
    for character in self {
      if ends, character.isWhitespace {
        count += 1
        (isOpen, ends) = (false, false)
      }
      if !character.isWhitespace { isOpen = true }
      ends = [".", "!", "?"].contains(character) || (ends && ["\"", ")", "'"].contains(character))
    }
    return isOpen ? count + 1 : count
  }

  func containsIgnoringCase(_ other: String) -> Bool {
    lowercased().contains(other.lowercased())
  }

  /// Not overlapping, case ignored.
  func occurrences(of other: String) -> Int {
    other.isEmpty ? 0 : lowercased().ranges(of: other.lowercased()).count
  }

  /// Whole words equal to `other`, case ignored.
  func words(equalTo other: String) -> Int {
    let wanted = other.lowercased()
    let text = lowercased()
    return text.ranges(of: wanted).count { range in
      let before =
        range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
      let after = range.upperBound == text.endIndex ? nil : text[range.upperBound]
      return [before, after].allSatisfy { $0.map { !$0.isLetter && !$0.isNumber } ?? true }
    }
  }

  /// What stands between separators, trimmed; an empty part at either end does not count.
  func parts(between separator: String) -> [String] {
    var parts = split(separator: separator, omittingEmptySubsequences: false)
      .map { String($0).trimmed }
    if parts.first == "" { parts.removeFirst() }
    if parts.last == "" { parts.removeLast() }
    return parts
  }
}

extension Substring {
  /// "* text" or "- text", indented or not.
  var isBullet: Bool {
    let text = drop(while: \.isWhitespace)
    guard let first = text.first, first == "*" || first == "-" else { return false }
    return text.dropFirst().first.map { $0 != first } ?? false
  }
}
