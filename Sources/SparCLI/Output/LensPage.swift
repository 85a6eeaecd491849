import Foundation
import SparTraining

/// One prompt of `spar lens`, as text or as a line of JSON.
struct LensPage: Encodable {
  struct Answer: Encodable {
    var role: String
    var tokens: Int
    var logp: Double
    var logRatio: Double
    var winRate: Double
    var meanScore: Double
    var text: String
  }

  var promptId: String
  var prompt: String
  var answers: [Answer]
  var readings: [LensReading]
  var cosines: [[Double?]]

  init(
    prompt: LensPrompt, group: TrainingGroup, texts: StoredPreferences.GroupTexts
  ) {
    promptId = texts.promptID
    self.prompt = texts.prompt
    readings = prompt.readings
    cosines = prompt.cosines
    answers = group.answers.enumerated().map { index, answer in
      Answer(
        role: answer.label > 0 ? "best" : answer.label < 0 ? "worst" : "other",
        tokens: answer.ids.count, logp: prompt.logps[index], logRatio: prompt.logRatios[index],
        winRate: answer.winProb, meanScore: answer.meanScore, text: texts.answers[index])
    }
  }

  var lines: [String] {
    var rows = [["  answer", "tokens", "log π", "log π/π_ref", "P", "s", ""]]
    for (index, answer) in answers.enumerated() {
      rows.append([
        "  \(name(index))", "\(answer.tokens)", Figures.short(answer.logp),
        Self.nats(answer.logRatio), Figures.short(answer.winRate), signed(answer.meanScore),
        Self.brief(answer.text, 50),
      ])
    }
    var table = [["  objective", "loss", "answer", "target", "dL/dlog π"]]
    for reading in readings {
      for index in answers.indices {
        table.append([
          index == 0 ? "  \(reading.objective)" : "",
          index == 0 ? Figures.short(reading.loss) : "", name(index),
          reading.targets[index].map(signed) ?? "–", signed(reading.derivatives[index]),
        ])
      }
    }
    return ["\(promptId)  \(Self.brief(prompt, 90))"] + Terminal.columns(rows) + [""]
      + Terminal.columns(table) + [""]
  }

  private func name(_ index: Int) -> String { "\(index + 1) \(answers[index].role)" }

  /// The cosines of all prompts, one matrix beside the other.
  static func lines(_ summary: LensSummary) -> [String] {
    let names = summary.objectives
    var header = ["", "mean loss"] + names
    if let norms = summary.parameterNorms, !norms.isEmpty { header += ["", "‖∇θ‖"] + names }
    var rows = [header]
    for (i, name) in names.enumerated() {
      var row = ["  " + name, Figures.short(summary.losses[i])]
      row += summary.logProbCosines[i].map(cosine)
      if let norms = summary.parameterNorms, let cosines = summary.parameterCosines {
        row += ["", Figures.short(norms[i])] + cosines[i].map(cosine)
      }
      rows.append(row)
    }
    let second = summary.parameterCosines == nil ? "" : "; right, by all parameters"
    let count = summary.prompts == 1 ? "1 prompt" : "\(summary.prompts) prompts"
    return ["\(count); cosines of gradients by log π\(second):"]
      + Terminal.columns(rows)
  }

  private static func cosine(_ value: Double?) -> String {
    value.map { String(format: "%+.3f", $0) } ?? "–"
  }

  private func signed(_ value: Double) -> String {
    let short = String(format: "%+.4g", value)
    return short == "+0" || short == "-0" ? "0" : short
  }

  /// To a hundredth: what is left when policy and sampler are one model is rounding.
  private static func nats(_ value: Double) -> String {
    let text = String(format: "%+.2f", value)
    return text == "+0.00" || text == "-0.00" ? "0.00" : text
  }

  private static func brief(_ text: String, _ length: Int) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.count > length ? line.prefix(length - 1) + "…" : line
  }
}
