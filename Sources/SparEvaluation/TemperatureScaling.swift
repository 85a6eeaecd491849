import Foundation
import SparPreference

/// By which one number all log-odds x would have to be divided for the best log loss.
///
/// T minimises the mean of −q ln σ(x/T) − (1 − q) ln σ(−x/T), which is convex in a = 1/T.  It is
/// fitted on the very rows that it is told of.  T > 1: the ranker is surer than it is right; T < 1:
/// it could be surer.  Source: Guo et al. 2017, arXiv:1706.04599, section 4.2.
public struct TemperatureScaling: Codable, Equatable, Sendable {
  /// Where the best T is none.
  public enum Bound: String, Codable, Sendable {
    /// Every verdict is right: the surer, the better.
    case zero
    /// Verdicts weighed by their log-odds are not better than a coin.
    case infinite
  }

  public enum Reading: String, Codable, Sendable {
    case overConfident = "over-confident"
    case underConfident = "under-confident"
    /// T = 1 is as likely.
    case undecided
  }

  /// Nil at a bound.
  public var value: Double?
  public var bound: Bound?
  /// Ends of a 95 % interval; no `lower`: there is none; no `upper`: it is infinite.
  public var lower: Double?
  public var upper: Double?
  public var reading: Reading
  /// The log loss of the same rows with that temperature, in nats.
  public var logLoss: Double

  /// Nil where all log-odds are 0.
  ///
  /// The interval is that of a = 1/T, ± 1.96 standard errors, clustered by prompt (White 1982,
  /// "Maximum likelihood estimation of misspecified models").  Where everything is right or wrong
  /// there is none, and twice the log loss that T = 1 has in excess is compared with χ² of one
  /// degree of freedom.
  ///
  /// - Parameter prompts: rows by prompt.
  init?(_ prompts: [[CalibrationRow]]) {
    let rows = prompts.flatMap { $0 }
    let telling = rows.filter { $0.logOdds != 0 }
    guard let scale = telling.map({ abs($0.logOdds) }).max() else { return nil }
    let n = Double(rows.count)
    let ties = (n - Double(telling.count)) * M_LN2
    func isAll(_ verdict: Double) -> Bool {
      telling.allSatisfy { $0.label == ($0.logOdds > 0 ? verdict : 1 - verdict) }
    }
    let a = isAll(1) ? .infinity : isAll(0) ? -.infinity : Self.minimum(telling, scale)
    if a.isInfinite {
      bound = a > 0 ? .zero : .infinite
      logLoss = a > 0 ? ties / n : M_LN2
      let isTold = 2 * Self.loss(telling, 1) > 3.841458820694124
      reading = !isTold ? .undecided : a > 0 ? .underConfident : .overConfident
      return
    }
    value = Self.inverse(a)
    bound = value == nil ? .infinite : nil
    logLoss = value == nil ? M_LN2 : (Self.loss(telling, a) + ties) / n
    reading = .undecided
    guard let error = Self.standardError(prompts, a) else { return }
    let (low, high) = (a - 1.959963984540054 * error, a + 1.959963984540054 * error)
    (lower, upper) = (Self.inverse(high), Self.inverse(low))
    reading = high < 1 ? .overConfident : low > 1 ? .underConfident : .undecided
  }

  /// T of a; nil where that is infinite.
  private static func inverse(_ a: Double) -> Double? {
    let t = 1 / a
    return a > 0 && t.isFinite ? t : nil
  }

  /// The sum of −q ln σ(a x) − (1 − q) ln σ(−a x).
  private static func loss(_ rows: [CalibrationRow], _ a: Double) -> Double {
    rows.reduce(0) { sum, row in
      let z = a * row.logOdds
      // ln(1 + e^−z) without overflow; ln(1 + e^z) is z more.
      let loss = max(-z, 0) + log1p(exp(-abs(z)))
      return sum + loss + (1 - row.label) * z
    }
  }

  /// The a that minimises the loss of rows that are not all right and not all wrong.
  private static func minimum(_ rows: [CalibrationRow], _ scale: Double) -> Double {
    // With |x| ≤ 1 the bracket below is of the order of one.
    let scaled = rows.map { (x: $0.logOdds / scale, q: $0.label) }
    func slopes(_ a: Double) -> (first: Double, second: Double) {
      scaled.reduce((first: 0.0, second: 0.0)) { sums, row in
        let s = ProbabilityRule.sigmoid(a * row.x)
        return (sums.first + (s - row.q) * row.x, sums.second + s * (1 - s) * row.x * row.x)
      }
    }
    // The slope rises in a, from below 0 to above: double until the minimum is inside.
    var (low, high) = (0.0, 0.0)
    var reach = 1.0
    while slopes(high).first < 0, reach.isFinite { (low, high, reach) = (high, reach, 2 * reach) }
    reach = 1
    while slopes(low).first > 0, reach.isFinite { (high, low, reach) = (low, -reach, 2 * reach) }
    guard low.isFinite, high.isFinite, reach.isFinite else { return low + high }
    var a = (low + high) / 2
    var step = high - low
    // Each step is at most half of the one before.
    for _ in 0..<200 {
      let slope = slopes(a)
      if slope.first < 0 { low = a } else { high = a }
      let newton = slope.first / slope.second
      var next = (low + high) / 2
      if abs(newton) < step / 2, a - newton > low, a - newton < high { next = a - newton }
      step = abs(next - a)
      a = next
      if step <= 1e-15 * abs(a) { break }
    }
    return a / scale
  }

  /// √(m/(m − 1) Σ_c g_c²)/Σ σ(1 − σ) x², g_c the slope of prompt c of m; nil for a single prompt.
  private static func standardError(_ prompts: [[CalibrationRow]], _ a: Double) -> Double? {
    guard prompts.count > 1 else { return nil }
    var (squares, curvature) = (0.0, 0.0)
    for rows in prompts {
      var slope = 0.0
      for row in rows {
        let s = ProbabilityRule.sigmoid(a * row.logOdds)
        slope += (s - row.label) * row.logOdds
        curvature += s * (1 - s) * row.logOdds * row.logOdds
      }
      squares += slope * slope
    }
    let m = Double(prompts.count)
    return (squares * m / (m - 1)).squareRoot() / curvature
  }
}
