/// Turns a pattern for Oniguruma with Unicode 16 into one for PCRE2 with Unicode 14 or later.
///
/// - `\s` is spelled as the property, because PCRE2 counts U+180E as a space.
/// - `\w` is spelled out: letters, marks, numerals and connectors, as Oniguruma has it.
/// - General categories get the characters that were assigned from Unicode 15 to 16; with a PCRE2
///   that knows them already the addition changes nothing.
///
/// A negated class inside of brackets (`[\P{L}…]`) is left as it is.
enum PatternDialect {
  static func translate(_ source: String) -> String {
    let text = Array(source.unicodeScalars)
    var out = ""
    var at = 0
    var isInside = false
    while at < text.count {
      let scalar = text[at]
      guard scalar == "\\", at + 1 < text.count else {
        if scalar == "[", !isInside {
          isInside = true
          out.unicodeScalars.append(scalar)
          at += 1
          // A bracket right behind the opening one is itself.
          for first: Unicode.Scalar in ["^", "]"] where at < text.count && text[at] == first {
            out.unicodeScalars.append(contentsOf: first == "]" ? ["\\", first] : [first])
            at += 1
          }
          continue
        }
        if scalar == "]" { isInside = false }
        // PCRE2 reads "[:" inside of brackets as a POSIX class only where it is one.
        out.unicodeScalars.append(scalar)
        at += 1
        continue
      }
      let (escape, length) = escape(text, at, isInside)
      out += escape
      at += length
    }
    return out
  }

  /// The translation of the escape at `at`, and how many scalars it takes.
  private static func escape(
    _ text: [Unicode.Scalar], _ at: Int, _ isInside: Bool
  ) -> (String, Int) {
    func literal(_ length: Int) -> String {
      var out = ""
      out.unicodeScalars.append(contentsOf: text[at..<(at + length)])
      return out
    }
    func wrap(_ members: String, negated: Bool) -> String {
      isInside ? members : (negated ? "[^" : "[") + members + "]"
    }
    switch text[at + 1] {
    case "s": return ("\\p{White_Space}", 2)
    case "S": return ("\\P{White_Space}", 2)
    case "w": return (wrap(word, negated: false), 2)
    case "W": return isInside ? (literal(2), 2) : (wrap(word, negated: true), 2)
    case "d": return (wrap("\\p{Nd}" + added("Nd"), negated: false), 2)
    case "D": return isInside ? (literal(2), 2) : (wrap("\\p{Nd}" + added("Nd"), negated: true), 2)
    case "p", "P":
      guard at + 2 < text.count, text[at + 2] == "{",
        let end = text[(at + 2)...].firstIndex(of: "}")
      else { return (literal(2), 2) }
      let length = end + 1 - at
      var name = ""
      name.unicodeScalars.append(contentsOf: text[(at + 3)..<end])
      let more = added(name)
      let isNegated = text[at + 1] == "P"
      if more.isEmpty || isNegated && isInside { return (literal(length), length) }
      return (wrap("\\p{\(name)}" + more, negated: isNegated), length)
    default: return (literal(2), 2)
    }
  }

  private static let word =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}"
    + ["L", "M", "Nd"].map(added).joined()
    + #"\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}"#
    + #"\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}"#

  /// The members of a general category ("L", "Lu", …) that Unicode 15 to 16 brought, as the
  /// inside of a bracket expression.
  static func added(_ category: String) -> String { additions[category] ?? "" }

  private static let additions: [String: String] = {
    var ranges: [String: [ClosedRange<UInt32>]] = [:]
    for block in assigned {
      for value in block {
        guard let scalar = Unicode.Scalar(value),
          (150...UnicodeAge.expressions).contains(UnicodeAge.of(scalar)),
          let category = scalar.properties.generalCategory.shortName
        else { continue }
        for name in [category, String(category.prefix(1))] {
          var list = ranges[name] ?? []
          if let last = list.last, last.upperBound + 1 == value {
            list[list.count - 1] = last.lowerBound...value
          } else {
            list.append(value...value)
          }
          ranges[name] = list
        }
      }
    }
    func hex(_ value: UInt32) -> String { "\\x{\(String(value, radix: 16))}" }
    return ranges.mapValues { list in
      list.map { hex($0.lowerBound) + ($0.count > 1 ? "-" + hex($0.upperBound) : "") }.joined()
    }
  }()

  /// Where to look for them; the planes 0 and 1, the newer ideographs.
  private static let assigned: [ClosedRange<UInt32>] = [
    0x897...0x897, 0xC00...0xEFF, 0x1B00...0x1CFF, 0x2400...0x2FFF, 0x31E0...0x31EF,
    0xA700...0xA7FF, 0x10500...0x10FFF, 0x11000...0x14FFF, 0x16000...0x16FFF, 0x18C00...0x18CFF,
    0x1AFF0...0x1B2FF, 0x1CC00...0x1E5FF, 0x1F000...0x1FBFF, 0x2B700...0x2B73F,
    0x2EBF0...0x2EE5F, 0x31350...0x323AF,
  ]
}

extension Unicode.GeneralCategory {
  /// The two letters of Unicode for letters, marks, numbers, punctuation and symbols.
  var shortName: String? {
    switch self {
    case .uppercaseLetter: "Lu"
    case .lowercaseLetter: "Ll"
    case .titlecaseLetter: "Lt"
    case .modifierLetter: "Lm"
    case .otherLetter: "Lo"
    case .nonspacingMark: "Mn"
    case .spacingMark: "Mc"
    case .enclosingMark: "Me"
    case .decimalNumber: "Nd"
    case .letterNumber: "Nl"
    case .otherNumber: "No"
    case .connectorPunctuation: "Pc"
    case .dashPunctuation: "Pd"
    case .openPunctuation: "Ps"
    case .closePunctuation: "Pe"
    case .initialPunctuation: "Pi"
    case .finalPunctuation: "Pf"
    case .otherPunctuation: "Po"
    case .mathSymbol: "Sm"
    case .currencySymbol: "Sc"
    case .modifierSymbol: "Sk"
    case .otherSymbol: "So"
    default: nil
    }
  }
}
