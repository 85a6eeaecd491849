import Foundation

/// Where values lie on an axis, and the ticks that a reader expects there.
struct ChartScale: Equatable {
  var lower: Double
  var upper: Double
  /// Ends of the axis in the drawing.
  var start: Double
  var end: Double
  var isLogarithmic = false

  struct Tick: Equatable {
    var value: Double
    var label: String
  }

  /// Covers `values` with a little room; equal values get room, too.
  ///
  /// - Parameter count: about how many ticks there will be.
  init(
    _ values: [Double], start: Double, end: Double, isLogarithmic: Bool = false,
    isPadded: Bool = true
  ) {
    self.start = start
    self.end = end
    self.isLogarithmic = isLogarithmic
    let moved = isLogarithmic ? values.map { log10($0) } : values
    var (low, high) = (moved.min() ?? 0, moved.max() ?? 1)
    if low == high {
      let room = low == 0 ? 1 : abs(low) * 0.1
      (low, high) = (low - room, high + room)
    } else if isPadded {
      let room = (high - low) * 0.06
      (low, high) = (low - room, high + room)
    }
    (lower, upper) = (low, high)
  }

  func place(_ value: Double) -> Double {
    let moved = isLogarithmic ? log10(value) : value
    return start + (moved - lower) / (upper - lower) * (end - start)
  }

  func ticks(_ count: Int) -> [Tick] {
    if isLogarithmic, upper - lower > 0.9 { return decades(count) }
    let (low, high) = isLogarithmic ? (pow(10, lower), pow(10, upper)) : (lower, upper)
    let step = Self.step((high - low) / Double(max(count, 1)))
    let first = Int((low / step).rounded(.up))
    let last = Int((high / step).rounded(.down))
    guard first <= last else { return [] }
    let values = (first...last).map { Double($0) * step }
    let greatest = values.map(abs).max() ?? 0
    let digits = max(0, -Int(floor(log10(step) + 1e-9)))
    return values.map { value in
      if greatest >= 1e5 || greatest < 1e-3 {
        return Tick(value: value, label: value == 0 ? "0" : Figure.scientific(value))
      }
      return Tick(value: value, label: Figure.decimals(value, digits))
    }
  }

  private func decades(_ count: Int) -> [Tick] {
    let range = Int(lower.rounded(.up))...max(Int(lower.rounded(.up)), Int(upper.rounded(.down)))
    let skip = max(1, (range.count + count - 1) / max(count, 1))
    let shown = range.filter { $0 % skip == 0 && Double($0) >= lower && Double($0) <= upper }
    let isPlain = shown.allSatisfy { (-3...4).contains($0) }
    return shown.map { exponent in
      let value = pow(10, Double(exponent))
      let label =
        isPlain
        ? Figure.decimals(value, max(0, -exponent)) : "10" + Figure.superscript(exponent)
      return Tick(value: value, label: label)
    }
  }

  /// The next of 1, 2, 5 times a power of ten.
  static func step(_ rough: Double) -> Double {
    let power = pow(10, floor(log10(rough)))
    let share = rough / power
    return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power
  }
}
