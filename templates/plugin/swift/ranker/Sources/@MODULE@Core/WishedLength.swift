import Glibc

/// Prefers the answer whose length is nearer to a wished number of words.
///
///     score(y)  = −|words(y) − target|
///     raw(i, j) = (score(i) − score(j)) / scale        P(i beats j) = 1 / (1 + e^−raw)
///
/// A word is a run of bytes without ASCII white space.
public struct WishedLength: Sendable {
  /// In words.
  public var target: Double
  /// Difference in distance that makes log-odds of 1, in words.
  public var scale: Double

  public init(target: Double, scale: Double) {
    self.target = target
    self.scale = scale
  }

  /// Higher is better.  Replace this with what you judge by.
  public func score(_ answer: UnsafeRawBufferPointer) -> Double {
    -abs(Double(Self.words(answer)) - target)
  }

  public static func words(_ text: UnsafeRawBufferPointer) -> Int {
    var count = 0
    var isInside = false
    for byte in text {
      let isSpace = byte == 0x20 || (0x09...0x0D).contains(byte)
      if !isSpace && !isInside { count += 1 }
      isInside = !isSpace
    }
    return count
  }

  /// The ranker's own score of (left, right); above 0: left is better.
  public func raw(_ left: Double, _ right: Double) -> Double { (left - right) / scale }

  public static func probability(_ raw: Double) -> Double {
    raw >= 0 ? 1 / (1 + exp(-raw)) : exp(raw) / (1 + exp(raw))
  }
}
