import Foundation

extension RunForecast {
  /// For people.
  ///
  /// - Parameter columns: lays rows out side by side.
  public func lines(_ columns: ([[String]]) -> [String]) -> [String] {
    var lines = columns(
      [["stage", "times", "prompts", "answers", "tokens", "operations", "memory", "time each"]]
        + stages.map { row in
          [
            row.stage, "\(row.times)", "\(row.prompts)", "\(row.answers)",
            Self.scaled(row.tokens), Self.scaled(row.operations) + "FLOP",
            Self.gigabytes(row.memoryBytes), Self.duration(row.seconds),
          ]
        })
    lines.append("")
    lines += columns(
      holdings.map { [$0.name, Self.gigabytes($0.bytes)] }
        + [["most at a time", Self.gigabytes(peakBytes)]])
    lines.append("")
    let ranker = rankerParameters.map { ", ranker \(Self.scaled($0))" } ?? ""
    lines.append(
      "sizes: policy \(Self.scaled(parameters))\(ranker) parameters; prompts of "
        + "\(Int(work.promptTokens.rounded())) tokens, answers of "
        + "\(Int(work.answerTokens.rounded()))")
    lines.append("estimated time: \(Self.duration(seconds))")
    lines += [
      "  from \(Int(rates.products / 1e9)) GFLOP/s (a 2048³ product) and "
        + "\(String(format: "%.1f", rates.memory / 1e9)) GB/s (reading memory), measured just now "
        + "with \(rates.threads) threads:",
      "  a stage takes its operations at 55 % (generate), 60 % (rank), 80 % (train) of the first, "
        + "or its bytes at the second",
    ]
    if !fits {
      lines.append(
        "memory: this machine has \(Self.gigabytes(totalBytes)), the run does not fit; "
          + "the time is that of a machine with enough")
    }
    return lines + notes
  }

  private static func gigabytes(_ bytes: Double) -> String {
    String(format: bytes < 1e8 ? "%.3f GB" : "%.1f GB", bytes / 1e9)
  }

  private static func scaled(_ value: Double) -> String {
    for (limit, prefix) in [
      (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"),
    ]
    where value >= limit {
      return String(format: "%.1f ", value / limit) + prefix
    }
    return String(format: "%.0f ", value)
  }

  private static func duration(_ seconds: Double) -> String {
    seconds < 48 * 3600
      ? RunReport.duration(seconds) : String(format: "%.1f days", seconds / 86400)
  }
}
