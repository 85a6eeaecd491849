import Foundation
import SparStore

/// What a report is written as.
public enum ReportFormat: String, CaseIterable, Sendable {
  case html, markdown, csv

  /// By the ending of a file's name.
  /// - Throws: `ReportError.format` for any other.
  public init(output path: String) throws(ReportError) {
    switch (path as NSString).pathExtension.lowercased() {
    case "html", "htm": self = .html
    case "md", "markdown": self = .markdown
    case "csv": self = .csv
    default: throw .format(output: path)
    }
  }
}

/// A comparison with its figures, ready to be written down.  The same input gives the same bytes.
public struct Report: Sendable {
  public let comparison: Comparison
  public let analysis: Analysis
  /// Held-out prompts whose answers are shown.
  public let examples: Int

  public init(_ comparison: Comparison, examples: Int = 6) {
    self.comparison = comparison
    self.examples = examples
    analysis = Analysis(comparison)
  }

  public func text(_ format: ReportFormat) -> String {
    switch format {
    case .html:
      HTMLReport(comparison: comparison, analysis: analysis, examples: examples).text
    case .markdown:
      MarkdownReport(comparison: comparison, analysis: analysis, examples: examples).text
    case .csv: CSVReport(comparison: comparison).text
    }
  }

  public func write(_ format: ReportFormat, to path: String) throws {
    let text = text(format)
    try AtomicFile.writeBytes(to: path, doing: "writing the report") { try $0.write(text) }
  }

  /// What came out, in sentences.
  public var summary: [String] {
    ReportWords(comparison: comparison, analysis: analysis).summary
  }

  /// What is not there yet, or could not be read.
  public var missing: [String] {
    ReportWords(comparison: comparison, analysis: analysis).missing
  }

  /// The figures for other programs.
  public struct Figures: Encodable, Sendable {
    public var title: String
    public var points: Int
    public var arms: [ArmSummary]
    /// The name of the arm that the others are compared with.
    public var baseline: String?
    public var effects: [AxisEffect]
    public var interactions: [Interaction]
    public var missing: [String]
    /// The file that the report was written to.
    public var output: String
  }

  public func figures(output: String) -> Figures {
    Figures(
      title: comparison.title, points: comparison.points.count, arms: analysis.arms,
      baseline: analysis.baseline.map { analysis.arms[$0].name }, effects: analysis.effects,
      interactions: analysis.interactions, missing: missing, output: output)
  }
}
