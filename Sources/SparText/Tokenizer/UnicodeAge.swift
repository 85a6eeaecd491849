/// Hugging Face tokenizers is built on libraries that know Unicode of different years, and a
/// character that a library does not know yet has no properties for it. To give the same ids, we
/// ask for a property together with the version in which the character appeared.
///
/// Measured, over all scalars, against tokenizers 0.23.
enum UnicodeAge {
  /// Regular expressions and `\w`: Unicode 16.
  static let expressions = 160
  /// Normal forms and StripAccents: Unicode 9.
  static let normalForms = 90
  /// Punctuation, controls and accents of BERT: Unicode 8.
  static let categories = 80

  /// 10 × major + minor of the version that assigned the character; 999 where none did.
  static func of(_ scalar: Unicode.Scalar) -> Int {
    guard let age = scalar.properties.age else { return 999 }
    return age.major * 10 + age.minor
  }

  /// Characters below this value, and those of these blocks, are older than all limits.
  static func isOld(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x530, 0x1E00..<0x2000, 0x3041...0x3096, 0x30A1...0x30FA, 0x4E00...0x9FCC,
      0xAC00...0xD7A3:
      true
    default: false
    }
  }
}

/// General categories as of Unicode 8 (9 for `isCombining`).
enum LegacyCategories {
  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    let value = scalar.value
    if value < 0x80 { return isASCIIPunctuation(UInt8(value)) }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return UnicodeAge.isOld(scalar) || UnicodeAge.of(scalar) <= UnicodeAge.categories
    default: return value == 0x166D || value == 0x111C9  // other categories since
    }
  }

  static func isASCIIPunctuation(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }

  /// Control, format or private use.
  static func isOther(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse:
      UnicodeAge.isOld(scalar) || UnicodeAge.of(scalar) <= UnicodeAge.categories
    default: false
    }
  }

  static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1734, 0x1171E: return true
    case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
    default:
      return scalar.properties.generalCategory == .nonspacingMark
        && (UnicodeAge.isOld(scalar) || UnicodeAge.of(scalar) <= UnicodeAge.categories)
    }
  }

  /// Any mark, as of Unicode 9.
  static func isCombining(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.value >= 0x300 else { return false }
    switch scalar.value {
    case 0x1CF2, 0x1CF3: return true
    case 0x111C9: return false
    default: break
    }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark:
      return UnicodeAge.isOld(scalar) || UnicodeAge.of(scalar) <= UnicodeAge.normalForms
    default: return false
    }
  }
}
