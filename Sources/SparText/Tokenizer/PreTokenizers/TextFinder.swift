import Foundation

/// What Split and Replace look for: a fixed text or a regular expression.
enum TextFinder: Sendable {
  case literal([UInt8])
  case pattern(Pattern)

  /// Calls `found` with every match, left to right; offsets are relative to `text`.
  func forEachMatch(
    in text: UnsafeBufferPointer<UInt8>, scratch: MatchScratch, _ found: (Range<Int>) -> Void
  ) {
    switch self {
    case .pattern(let pattern): pattern.forEachMatch(in: text, scratch: scratch, found)
    case .literal(let literal):
      guard let base = text.baseAddress, !literal.isEmpty else { return }
      literal.withUnsafeBufferPointer { wanted in
        guard let first = wanted.baseAddress else { return }
        var at = 0
        while at + wanted.count <= text.count {
          let reach = text.count - at - wanted.count + 1
          guard let hit = memchr(base + at, Int32(wanted[0]), reach) else { return }
          let start = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
          if memcmp(hit, first, wanted.count) == 0 {
            found(start..<(start + wanted.count))
            at = start + wanted.count
          } else {
            at = start + 1
          }
        }
      }
    }
  }
}
