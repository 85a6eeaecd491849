import Foundation

/// The four normal forms of Unicode (UAX #15).
enum NormalForm: String, CaseIterable, Sendable {
  case nfc = "NFC"
  case nfd = "NFD"
  case nfkc = "NFKC"
  case nfkd = "NFKD"

  /// ASCII is its own normal form and composes only with what follows it, so just the other
  /// stretches, each with the ASCII character before it, are looked at.
  func apply(to text: inout [UInt8]) {
    guard let first = text.firstIndex(where: { $0 >= 0x80 }) else { return }
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 8)
    var done = 0
    var at = first
    while at < text.count {
      let start = max(done, at - 1)
      out.append(contentsOf: text[done..<start])
      var end = at
      while end < text.count, text[end] >= 0x80 { end += 1 }
      normalize(text[start..<end], to: &out)
      done = end
      at = end
      while at < text.count, text[at] < 0x80 { at += 1 }
    }
    out.append(contentsOf: text[done...])
    text = out
  }

  /// Characters younger than Hugging Face's tables stand for themselves, and nothing moves across
  /// them.
  private func normalize(_ run: ArraySlice<UInt8>, to out: inout [UInt8]) {
    var known = ""
    for scalar in String(decoding: run, as: UTF8.self).unicodeScalars {
      if UnicodeAge.isOld(scalar) || UnicodeAge.of(scalar) <= UnicodeAge.normalForms {
        known.unicodeScalars.append(scalar)
      } else {
        form(known, to: &out)
        known = ""
        TextScan.append(scalar, to: &out)
      }
    }
    form(known, to: &out)
  }

  private func form(_ text: String, to out: inout [UInt8]) {
    if text.isEmpty { return }
    // Foundation leaves marks and jamo that its compatibility mappings bring in as they come: they
    // are ordered and composed by a canonical mapping afterwards.
    let normal =
      switch self {
      case .nfc: text.precomposedStringWithCanonicalMapping
      case .nfd: text.decomposedStringWithCanonicalMapping
      case .nfkc:
        text.decomposedStringWithCompatibilityMapping.precomposedStringWithCanonicalMapping
      case .nfkd:
        text.decomposedStringWithCompatibilityMapping.decomposedStringWithCanonicalMapping
      }
    out.append(contentsOf: normal.utf8)
  }
}
