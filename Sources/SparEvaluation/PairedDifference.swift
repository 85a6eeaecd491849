/// Whether one policy does better than another, both measured against the same base on the same
/// prompts: the difference prompt by prompt, which is sharper than comparing two intervals.
public struct PairedDifference: Equatable, Sendable, Codable {
  /// Mean over prompts of after − before, in win rate.
  public var value: Double
  public var interval: ConfidenceInterval
  /// Prompts that both reports have.
  public var n: Int
  /// Prompts on which `after` does better, and worse.
  public var better: Int
  public var worse: Int

  /// Nil when the reports share no prompt.
  public init?(before: WinRateReport, after: WinRateReport) {
    let earlier = Dictionary(
      before.prompts.map { ($0.prompt, $0.win) }, uniquingKeysWith: { first, _ in first })
    let changes = after.prompts.compactMap { outcome in
      earlier[outcome.prompt].map { outcome.win - $0 }
    }
    guard !changes.isEmpty else { return nil }
    value = changes.reduce(0, +) / Double(changes.count)
    interval = after.bootstrap.interval(of: changes)
    n = changes.count
    better = changes.count { $0 > 0 }
    worse = changes.count { $0 < 0 }
  }

  public var line: String {
    "change in win rate \(WinRateReport.percent(value, interval)) on \(n) prompts: "
      + "\(better) better, \(worse) worse"
  }
}
