import Foundation
import SparEvaluation
import SparPipeline

/// What the points of a sweep came to, a row each, from their files.
public struct SweepFigures: Codable, Equatable, Sendable {
  public struct Row: Codable, Equatable, Sendable {
    public var id: String
    public var arm: String
    /// `name=value` of the axes that only repeat.
    public var replicate: String
    public var status: SweepRecord.Status
    /// Of the last iteration; nil for a point that is not done.
    public var winRate: Double?
    public var lower: Double?
    public var upper: Double?
    /// Mean tokens of a held-out answer.
    public var meanLength: Double?
    public var error: String?
  }
  public var rows: [Row]

  /// - Parameter folder: the sweep's.
  public init(_ record: SweepRecord, folder: String) throws {
    let replicates = record.axes.filter(\.replicate).map(\.name)
    rows = try record.points.map { point in
      var row = Row(
        id: point.id, arm: point.arm,
        replicate: replicates.compactMap { name in
          point.values[name].map { "\(name)=\($0)" }
        }.joined(separator: " "), status: point.status, error: point.error)
      guard point.status == .done else { return row }
      let directory = RunDirectory("\(folder)/\(point.folder)")
      var t = 1
      while FileManager.default.fileExists(atPath: directory.iteration(t + 1).evaluation) { t += 1 }
      let report = try WinRateReport(
        json: Data(contentsOf: URL(fileURLWithPath: directory.iteration(t).evaluation)))
      row.winRate = report.value
      row.lower = report.interval.lower
      row.upper = report.interval.upper
      row.meanLength = report.policy.meanTokens
      return row
    }
  }

  /// Columns of a table, its head first.
  public var table: [[String]] {
    func percent(_ value: Double?) -> String {
      value.map { String(format: "%.1f %%", 100 * $0) } ?? "-"
    }
    let head = [
      "point", "status", "win rate", "interval", "length", "arm", "replicate",
    ]
    return [head]
      + rows.map { row in
        [
          row.id, row.status.rawValue, percent(row.winRate),
          row.lower == nil ? "-" : "\(percent(row.lower)) – \(percent(row.upper))",
          row.meanLength.map { String(format: "%.1f", $0) } ?? "-", row.arm, row.replicate,
        ]
      }
  }
}
