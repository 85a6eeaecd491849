import Foundation

/// What happens to text before it is cut. Source: Hugging Face tokenizers, `normalizers`.
enum Normalizer: String, CaseIterable, Sendable {
  case nfc = "NFC"
  case nfd = "NFD"
  case nfkc = "NFKC"
  case nfkd = "NFKD"

  func apply(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    // ASCII is its own normal form, and nearly all text is ASCII.
    if text.allSatisfy({ $0 < 0x80 }) { return Array(text) }
    let string = String(decoding: text, as: UTF8.self)
    let normal =
      switch self {
      case .nfc: string.precomposedStringWithCanonicalMapping
      case .nfd: string.decomposedStringWithCanonicalMapping
      case .nfkc: string.precomposedStringWithCompatibilityMapping
      case .nfkd: string.decomposedStringWithCompatibilityMapping
      }
    return Array(normal.utf8)
  }
}
