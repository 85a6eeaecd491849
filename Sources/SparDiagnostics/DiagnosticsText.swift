import Foundation

extension TableDiagnostics {
  /// The diagnostics as lines for people; each names its figure, then what it means.
  public var lines: [String] {
    var lines = ["\(prompts) prompts, \(K) answers each"]
    if triples > 0 {
      lines.append(
        "circles: \(share(intransitiveTriples, triples)) of the triples of answers are intransitive; "
          + "\(share(cyclicPrompts, prompts)) of the prompts have one")
      lines += cycles.map { cycle in
        let circle = (cycle.answers + cycle.answers.prefix(1)).map { "\($0 + 1)" }
        return "  prompt \(cycle.prompt): \(circle.joined(separator: " ≻ ")), each with "
          + "at least \(percent(0.5 + cycle.strength))"
      }
    }
    lines.append(
      "winners: the best by S is also first by Copeland \(share(copelandAgrees, prompts)), Borda "
        + "\(share(bordaAgrees, prompts)), Nash \(share(nashAgrees, prompts)); "
        + "\(share(condorcetWinners, prompts)) of the prompts have an answer that beats all others")
    if let nashSupport, let chosenExploitability {
      lines.append(
        "Nash: \(decimal(nashSupport)) answers share the maximal lottery on average; the best by S "
          + "loses to its strongest rival by \(decimal(100 * chosenExploitability)) points")
    }
    if let orderDisagreement, let firstPositionBias {
      lines.append(
        "order: \(percent(orderDisagreement)) of the pairs change their winner with the order; "
          + "bias to the \(firstPositionBias < 0 ? "second" : "first") "
          + "\(decimal(abs(firstPositionBias), 3))")
    }
    if let longerWins {
      lines.append(
        "length: the longer answer wins \(percent(longerWins)) of the pairs"
          + (lengthCorrelation.map { ", correlation with the score \(decimal($0, 2))" } ?? ""))
    }
    if let truncatedAnswers, let refusals {
      lines.append(
        "answers: \(percent(truncatedAnswers)) cut off, \(percent(refusals)) open like a refusal")
    }
    return lines
  }

  private func share(_ part: Int, _ whole: Int) -> String {
    percent(Double(part) / Double(max(whole, 1)))
  }

  private func percent(_ value: Double) -> String { "\(decimal(100 * value)) %" }

  private func decimal(_ value: Double, _ places: Int = 1) -> String {
    String(format: "%.\(places)f", value)
  }
}

extension RankerAgreement {
  public var lines: [String] {
    guard let pairAgreement, prompts > 0 else { return ["no prompt is in both files"] }
    func percent(_ part: Int) -> String {
      String(format: "%.1f %%", 100 * Double(part) / Double(prompts))
    }
    return [
      "\(prompts) prompts in both: same winner in "
        + String(format: "%.1f %%", 100 * pairAgreement)
        + " of \(pairs) pairs, same best answer \(percent(sameBest)), same worst "
        + percent(sameWorst)
    ]
  }
}
