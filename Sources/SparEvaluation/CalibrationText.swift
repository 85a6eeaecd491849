import Foundation

extension Calibration {
  /// Name and figure; the bins are apart.
  public var rows: [[String]] {
    var table = [
      [
        "Brier score",
        "\(Self.decimal(brier)), always ½ scores \(Self.decimal(brierOfHalf))",
      ],
      [
        "log loss",
        "\(Self.decimal(logLoss)) nats, always ½ scores \(Self.decimal(logLossOfHalf))",
      ],
      [
        "calibration error (ECE)",
        RankerAccuracyReport.percent(ece)
          + (eceByChance.map {
            ", if P were right \(RankerAccuracyReport.percent($0)) by chance"
          } ?? ""),
      ],
      ["temperature, fitted here", temperature?.text ?? "none: every P is ½"],
    ]
    if failed > 0 { table.append(["left out", "\(failed) failed comparisons"]) }
    return table
  }

  /// A line for each bin that holds rows.
  public var binRows: [[String]] {
    bins.map { bin in
      [
        bin.name,
        "\(bin.count) rows, mean \(RankerAccuracyReport.percent(bin.confidence)), right "
          + RankerAccuracyReport.percent(.init(value: bin.right, interval: bin.interval)),
      ]
    }
  }

  static func decimal(_ value: Double) -> String { String(format: "%.4f", value) }

  private static func decimal(_ figure: Figure) -> String {
    decimal(figure.value)
      + " (\(decimal(figure.interval.lower))–\(decimal(figure.interval.upper)))"
  }
}

extension Calibration.Bin {
  /// "sure by 50–55 %"
  public var name: String { String(format: "sure by %.0f–%.0f %%", 100 * lower, 100 * upper) }
}

extension TemperatureScaling {
  /// "3.10 (2.21–∞): over-confident; log loss with it 0.6612"
  public var text: String {
    "\(figure): \(words); log loss with it \(Calibration.decimal(logLoss))"
  }

  /// "3.10 (2.21–5.02)", "→ 0", "∞ (4.10–∞)"
  public var figure: String {
    if bound == .zero { return "→ 0" }
    let interval = lower.map { " (\(Self.short($0))–\(upper.map(Self.short) ?? "∞"))" } ?? ""
    return (value.map(Self.short) ?? "∞") + interval
  }

  /// What that says of the ranker.
  public var words: String {
    switch (reading, bound) {
    case (.overConfident, .infinite):
      "over-confident, its verdicts are no better than a coin's"
    case (.underConfident, .zero): "under-confident, every verdict is right"
    case (.overConfident, _), (.underConfident, _): reading.rawValue
    case (.undecided, _): "neither over- nor under-confident as far as these rows tell"
    }
  }

  /// Three significant digits: "0.0413", "1.00", "23.1", "111".
  private static func short(_ value: Double) -> String {
    switch value {
    case 1..<10: String(format: "%.2f", value)
    case 10..<100: String(format: "%.1f", value)
    default: String(format: "%.3g", value)
    }
  }
}
