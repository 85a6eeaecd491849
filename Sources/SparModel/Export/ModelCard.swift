import Foundation

/// README.md of an exported model: where it comes from and how it was made.
public struct ModelCard: Sendable, Equatable {
  public var title: String
  /// The model that training began with, as Hugging Face knows it, or its file's name.
  public var baseModel: String?
  public var license: String?
  /// What was done, in order: ("objective", "sppo"), ("learning rate", "5e-07") …
  public var facts: [(name: String, value: String)] = []

  public init(
    title: String, baseModel: String? = nil, license: String? = nil,
    facts: [(name: String, value: String)] = []
  ) {
    self.title = title
    self.baseModel = baseModel
    self.license = license
    self.facts = facts
  }

  public static func == (a: ModelCard, b: ModelCard) -> Bool { a.markdown == b.markdown }

  /// Front matter as the Hugging Face hub reads it, and a table.
  public var markdown: String {
    var lines = ["---", "library_name: transformers", "pipeline_tag: text-generation"]
    if let license { lines.append("license: \(Self.scalar(license))") }
    if let baseModel { lines.append("base_model: \(Self.scalar(baseModel))") }
    lines += ["tags:", "- spar", "---", "", "# \(title)", ""]
    if !facts.isEmpty {
      lines += ["| | |", "|---|---|"]
      lines += facts.map { "| \(Self.cell($0.name)) | \(Self.cell($0.value)) |" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// YAML: plain where that is safe, else in quotes.
  private static func scalar(_ text: String) -> String {
    let safe = text.allSatisfy { $0.isLetter || $0.isNumber || "-._/".contains($0) }
    if safe, text.first?.isLetter == true { return text }
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped.replacing("\n", with: " "))\""
  }

  private static func cell(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("\n", with: " ")
  }
}
