/// BERT's cleaning of text. Source: Hugging Face tokenizers, `BertNormalizer`.
struct BertNormalizer: Equatable, Sendable {
  /// Controls vanish, every white space becomes U+0020.
  var cleansText = true
  /// Chinese characters become words of their own.
  var separatesChinese = true
  /// NFD without marks; unset in a file means: as `lowercases`.
  var stripsAccents = true
  var lowercases = true

  func apply(to text: inout [UInt8]) {
    if cleansText {
      text = Normalizer.mapScalars(text, from: 0) { scalar, out in
        if Self.isControl(scalar) { return }
        TextScan.append(TextScan.isSpace(scalar) ? " " : scalar, to: &out)
      }
    }
    if separatesChinese {
      text = Normalizer.mapScalars(text, from: 0x80) { scalar, out in
        guard Self.isChinese(scalar) else { return TextScan.append(scalar, to: &out) }
        out.append(0x20)
        TextScan.append(scalar, to: &out)
        out.append(0x20)
      }
    }
    if stripsAccents {
      NormalForm.nfd.apply(to: &text)
      text = Normalizer.mapScalars(text, from: 0x80) { scalar, out in
        if !Self.isAccent(scalar) { TextScan.append(scalar, to: &out) }
      }
    }
    if lowercases { Normalizer.lowercase(&text) }
  }

  /// The blocks that Hugging Face lists (its fifth starts at U+2B920, not at U+2B820).
  static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      return true
    default: return false
    }
  }

  static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D, 0x20..<0x7F: return false
    case 0..<0x80: return true
    default: break
    }
    return scalar.value == 0xFFFD || LegacyCategories.isOther(scalar)
  }

  static func isAccent(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x300 && LegacyCategories.isNonspacingMark(scalar)
  }
}
