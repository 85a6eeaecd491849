/// Upper, lower and title case as `str` has them: full mappings, with the final sigma.
enum PythonCase {
  static func upper(_ text: String) -> String {
    text.utf8.allSatisfy { $0 < 0x80 }
      ? text.uppercased() : map(text) { $0.properties.uppercaseMapping }
  }

  static func lower(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
    let scalars = Array(text.unicodeScalars)
    return lower(scalars, scalars.indices)
  }

  private static func map(
    _ text: String, _ mapping: (Unicode.Scalar) -> String
  ) -> String {
    var out = ""
    for scalar in text.unicodeScalars { out += mapping(scalar) }
    return out
  }

  private static func lower(_ scalars: [Unicode.Scalar], _ range: Range<Int>) -> String {
    var out = ""
    for i in range { out += lower(scalars, i) }
    return out
  }

  /// A capital sigma behind a cased letter and before none is the final one.
  private static func lower(_ scalars: [Unicode.Scalar], _ i: Int) -> String {
    guard scalars[i] == "\u{3A3}" else { return scalars[i].properties.lowercaseMapping }
    var before = i - 1
    while before >= 0, scalars[before].properties.isCaseIgnorable { before -= 1 }
    var after = i + 1
    while after < scalars.count, scalars[after].properties.isCaseIgnorable { after += 1 }
    let isFinal =
      before >= 0 && scalars[before].properties.isCased
      && !(after < scalars.count && scalars[after].properties.isCased)
    return isFinal ? "\u{3C2}" : "\u{3C3}"
  }

  static func capitalize(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    guard let first = scalars.first else { return "" }
    return first.properties.titlecaseMapping + lower(scalars, 1..<scalars.count)
  }

  /// `str.title`: every run of letters begins with a capital.
  static func title(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var out = ""
    var isInside = false
    for (i, scalar) in scalars.enumerated() {
      out += isInside ? lower(scalars, i) : scalar.properties.titlecaseMapping
      isInside = scalar.properties.isCased
    }
    return out
  }

  static func swap(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var out = ""
    for (i, scalar) in scalars.enumerated() {
      if scalar.properties.isUppercase {
        out += lower(scalars, i)
      } else if scalar.properties.isLowercase {
        out += scalar.properties.uppercaseMapping
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// Jinja's filter `title`: capitals behind blanks, hyphens and opening brackets.
  static func titleOfWords(_ text: String) -> String {
    var out = ""
    var isFirst = true
    var word: [Unicode.Scalar] = []
    func close() {
      out += lower(word, word.indices)
      word = []
    }
    for scalar in text.unicodeScalars {
      if PythonSpace.contains(scalar) || "-({[<".unicodeScalars.contains(scalar) {
        close()
        out.unicodeScalars.append(scalar)
        isFirst = true
      } else if isFirst {
        out += scalar.properties.uppercaseMapping
        isFirst = false
      } else {
        word.append(scalar)
      }
    }
    close()
    return out
  }

  /// `isalpha`, `islower`, …; false for the empty text except `isascii` and `isprintable`.
  static func holds(_ name: String, _ text: String) -> Bool {
    let scalars = text.unicodeScalars
    switch name {
    case "isascii": return scalars.allSatisfy(\.isASCII)
    case "isprintable": return scalars.allSatisfy(JinjaText.isPrintable)
    default: break
    }
    guard !scalars.isEmpty else { return false }
    switch name {
    case "isdecimal": return scalars.allSatisfy { $0.properties.numericType == .decimal }
    case "isdigit":
      return scalars.allSatisfy {
        $0.properties.numericType == .decimal || $0.properties.numericType == .digit
      }
    case "isnumeric": return scalars.allSatisfy { $0.properties.numericType != nil }
    case "isalpha": return scalars.allSatisfy(isLetter)
    case "isalnum": return scalars.allSatisfy(isWordPart)
    case "isspace": return scalars.allSatisfy(PythonSpace.contains)
    case "isupper":
      return scalars.contains { $0.properties.isUppercase }
        && !scalars.contains { $0.properties.isLowercase || isTitle($0) }
    case "islower":
      return scalars.contains { $0.properties.isLowercase }
        && !scalars.contains { $0.properties.isUppercase || isTitle($0) }
    default: return isTitled(scalars)
    }
  }

  private static func isTitled(_ scalars: String.UnicodeScalarView) -> Bool {
    var isInside = false
    var hasLetters = false
    for scalar in scalars {
      if scalar.properties.isUppercase || isTitle(scalar) {
        if isInside { return false }
        (isInside, hasLetters) = (true, true)
      } else if scalar.properties.isLowercase {
        if !isInside { return false }
        hasLetters = true
      } else {
        isInside = false
      }
    }
    return hasLetters
  }

  private static func isTitle(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .titlecaseLetter
  }

  static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  /// `isalnum` of one character.
  static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
    isLetter(scalar) || scalar.properties.numericType != nil
  }
}
