/// Which numbers a setting may take, each end included or not; written as in mathematics: `(0, 1]`.
public struct NumberRange: Equatable, Sendable, CustomStringConvertible {
  public var lower: Double
  public var upper: Double
  public var includesLower: Bool
  public var includesUpper: Bool

  public init(
    _ lower: Double, _ upper: Double, includesLower: Bool = true, includesUpper: Bool = true
  ) {
    self.lower = lower
    self.upper = upper
    self.includesLower = includesLower
    self.includesUpper = includesUpper
  }

  public static let atLeastZero = NumberRange(0, .infinity, includesUpper: false)
  public static let positive = NumberRange(
    0, .infinity, includesLower: false, includesUpper: false)

  /// False for NaN, too.
  public func contains(_ value: Double) -> Bool {
    (value > lower || (includesLower && value == lower))
      && (value < upper || (includesUpper && value == upper))
  }

  public var description: String {
    if upper == .infinity { return includesLower ? "≥ \(trimmed(lower))" : "> \(trimmed(lower))" }
    return "\(includesLower ? "[" : "(")\(trimmed(lower)), \(trimmed(upper))"
      + (includesUpper ? "]" : ")")
  }

  private func trimmed(_ value: Double) -> String {
    Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }
}
