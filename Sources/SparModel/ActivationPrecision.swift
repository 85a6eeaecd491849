/// How activations are stored.
public enum ActivationPrecision: String, CaseIterable, Codable, Sendable {
  case f32
  /// IEEE half precision: 11 significant bits, up to 65504.
  case f16

  /// Bytes of a value.
  public var size: Int { self == .f32 ? 4 : 2 }

  /// The values as bytes in this machine's order; f16 rounds to nearest, ties to even.
  ///
  /// - Throws: `ActivationError` for a value that is not finite, or that f16 cannot hold.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, of series: ActivationSeries
  ) throws(ActivationError) -> [UInt8] {
    var largest: Float = 0
    var isFinite = true
    for value in values {
      isFinite = isFinite && value.isFinite
      largest = max(largest, value.magnitude)
    }
    guard isFinite else {
      throw .notFinite(series: series.name, value: values.first { !$0.isFinite } ?? .nan)
    }
    switch self {
    case .f32: return Array(UnsafeRawBufferPointer(values))
    case .f16:
      // From 65520 on, rounding to nearest gives infinity.
      guard largest < 65520 else { throw .overflow(series: series.name, value: largest) }
      return values.map(HalfFloat.f16).withUnsafeBytes { Array($0) }
    }
  }
}
