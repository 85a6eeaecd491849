import Foundation
import SparEvaluation

/// What the figures say, in sentences.
struct ReportWords {
  let comparison: Comparison
  let analysis: Analysis

  /// What was compared, and how it came out.
  var summary: [String] {
    [subject] + (analysis.arms.isEmpty ? ["No point is finished yet."] : [outcome] + comparisons)
  }

  private var subject: String {
    let arms = comparison.arms.count
    let points = comparison.points.count
    let axes = comparison.armAxes.map(\.name)
    var text = arms == 1 ? "One arm" : "\(Self.number(arms)) arms"
    if arms > 1, !axes.isEmpty { text += " (\(axes.joined(separator: " × ")))" }
    if points > arms { text += ", \(points) runs in all," }
    text += arms == 1 ? " starts" : " start"
    if let model = comparison.points.lazy.compactMap({ $0.result.setting("model") }).first {
      text += " from \(model)"
    }
    guard let evaluation = analysisEvaluation else { return text + "." }
    text += arms == 1 ? " and is" : " and are"
    // Its options are among the settings.
    let ranker = evaluation.ranker.prefix { $0 != "(" }.trimmingCharacters(in: .whitespaces)
    return text + " judged on \(evaluation.n) held-out prompts by the ranker \(ranker)."
  }

  private var analysisEvaluation: WinRateReport? {
    comparison.points.lazy.compactMap { $0.result.lastEvaluated?.evaluation }.first
  }

  private var outcome: String {
    let ranked = analysis.arms.sorted { ($0.winRate.value, $1.name) > ($1.winRate.value, $0.name) }
    guard let best = ranked.first else { return "" }
    let name = analysis.arms.count == 1 ? "It" : best.label
    let verb = analysis.arms.count == 1 ? "is" : "comes out first: it is"
    var text =
      "\(name) \(verb) preferred to the base model on \(Figure.percent(best.winRate.value)) of them"
    if let interval = best.winRate.interval {
      text +=
        " (95\u{A0}% interval \(Self.range(interval))"
        + (interval.contains(0.5) ? ", which contains one half: no difference is shown" : "") + ")"
    }
    text += ", with answers of \(Figure.decimals(best.tokens.value, 1)) tokens where the base "
    return text + "model's have \(Figure.decimals(best.baseTokens, 1))."
  }

  private var comparisons: [String] {
    guard let place = analysis.baseline, analysis.arms.count > 1 else { return [] }
    let tested = analysis.arms.count { $0.winDifference != nil }
    let name = analysis.arms[place].label
    guard tested > 0 else {
      return ["No other arm shares held-out prompts with the baseline \(name)."]
    }
    let others =
      tested == 1 ? "the other arm" : "the \(Self.number(tested).lowercased()) other arms"
    let level = "at the 5\u{A0}% level after Holm's correction"
    let different = analysis.arms.filter {
      ($0.winDifference?.corrected ?? 1) < Analysis.level
    }.map(\.label)
    if different.isEmpty {
      let none = tested == 1 ? "\(others) does not differ" : "none of \(others) differs"
      return ["Against the baseline \(name), \(none) in win rate \(level)."]
    }
    let some =
      tested == 1
      ? "\(others) differs"
      : "\(different.count) of \(others) "
        + (different.count == 1 ? "differs" : "differ")
    return [
      "Against the baseline \(name), \(some) in win rate \(level): "
        + different.joined(separator: ", ") + "."
    ]
  }

  /// Points without a final result, and files that could not be read.
  var missing: [String] {
    comparison.points.flatMap { point -> [String] in
      let result = point.result
      let name = point.id == point.arm ? point.id : "\(point.id) (\(point.arm))"
      var lines: [String] = []
      if !point.isComplete {
        let done = result.lastEvaluated?.number ?? 0
        let planned = result.planned.map { " of \($0)" } ?? ""
        let progress =
          done == 0 ? "no iteration evaluated yet" : "\(done)\(planned) iterations evaluated"
        switch point.status {
        case .failed: lines.append("\(name) failed: \(point.error ?? "no reason given")")
        case .pending: lines.append("\(name) has not been started")
        case .running: lines.append("\(name) is unfinished: \(progress)")
        case .done: lines.append("\(name) is said to be done, but has \(progress)")
        }
      } else if let error = point.error {
        lines.append("\(name): \(error)")
      }
      return lines + result.problems.map { "\(name): \($0)" }
    }
  }

  /// Each doubt of an evaluation once, with the finished runs that it is about; nil = all.
  var doubts: [(text: String, runs: [String]?)] {
    let finished = comparison.points.filter(\.isComplete)
    var found: [(text: String, runs: [String])] = []
    for point in finished {
      for warning in point.result.lastEvaluated?.evaluation?.warnings ?? [] {
        if let known = found.firstIndex(where: { $0.text == warning }) {
          found[known].runs.append(point.id)
        } else {
          found.append((warning, [point.id]))
        }
      }
    }
    return found.map { ($0.text, $0.runs.count == finished.count ? nil : $0.runs) }
  }

  static func about(_ runs: [String]?) -> String {
    runs.map { $0.joined(separator: ", ") } ?? "every run"
  }

  /// How intervals and p-values came about.
  var method: String {
    guard let bootstrap = analysis.bootstrap else { return "" }
    let replicates = analysis.arms.map(\.winRate.replicates).max() ?? 1
    let drawn =
      replicates > 1
      ? "prompts and replicates are drawn independently, the same for every arm"
      : "prompts are drawn, the same for every arm; with one run an arm nothing is known about "
        + "how much another seed would change"
    return "Intervals are 95\u{A0}% percentile intervals of a bootstrap with "
      + "\(bootstrap.resamples) resamples (seed \(bootstrap.seed)): \(drawn)."
      + (analysis.arms.count > 1
        ? " Differences are taken prompt by prompt and seed by seed. p is two-sided; Holm's "
          + "correction is over all arms that are compared with the baseline." : "")
      + ((2...4).contains(replicates)
        ? " With \(replicates) replicates the spread between seeds is known roughly, and the "
          + "intervals are rather too narrow than too wide." : "")
  }

  /// How the effects of axes came about.
  var effects: String {
    guard let estimate = analysis.effects.first?.values.first?.winRate else { return "" }
    let runs = estimate.replicates == 1 ? "" : " and \(estimate.replicates) replicates"
    return "Each value's mean over the arms that have it, every arm counting alike, on the "
      + "\(estimate.prompts) prompts\(runs) that all arms have, with 95\u{A0}% intervals."
  }

  static func range(_ interval: ConfidenceInterval) -> String {
    "\(Figure.decimals(100 * interval.lower, 1)) – \(Figure.percent(interval.upper))"
  }

  static func pointRange(_ interval: ConfidenceInterval) -> String {
    "\(Figure.points(interval.lower)) to \(Figure.points(interval.upper))"
  }

  static func number(_ count: Int) -> String {
    let words = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"]
    return count < words.count ? words[count] : "\(count)"
  }
}
