// Answers of the base model beside those of each arm, one arm at a time on the screen, all of them
// on paper.
extension HTMLReport {
  private struct Side {
    var place: Int
    var label: String
    var point: Comparison.Point
    var iteration: RunResult.Iteration
  }

  /// Of each arm the first run that has answers, its latest.
  private var sides: [Side] {
    comparison.arms.enumerated().compactMap { place, arm in
      let points = comparison.complete(arm) + comparison.points(of: arm)
      for point in points {
        if let last = point.result.iterations.last(where: { !$0.heldout.isEmpty }) {
          return Side(place: place, label: arm.label, point: point, iteration: last)
        }
      }
      return nil
    }
  }

  var answers: String {
    let sides = sides
    guard let first = sides.first, examples > 0 else { return "" }
    let shown = first.point.result.base.prefix(examples)
    guard !shown.isEmpty else { return "" }
    let switches =
      sides.count < 2
      ? ""
      : sides.map { side in
        let checked = side.place == first.place ? " checked" : ""
        return "<input type=\"radio\" name=\"arm\" id=\"a\(side.place)\"\(checked)>"
          + "<label for=\"a\(side.place)\" class=\"s\(side.place % SeriesStyle.colours)\">"
          + "\(HTML.escape(side.label))</label>"
      }.joined(separator: "\n") + "\n"
    let prompts = shown.map { article($0, sides) }
    let intro =
      sides.count < 2
      ? ""
      : "<p class=\"note screen\">Choose whose answers stand beside the base model's.</p>\n"
    return intro
      + Self.note(
        "The first \(shown.count) held-out prompts, the first answer of each model"
          + (comparison.points.count > comparison.arms.count ? " in the arm's first run." : "."))
      + "<div class=\"answers\">\n\(switches)\(prompts.joined(separator: "\n"))\n</div>"
  }

  private func article(_ base: RunResult.Answered, _ sides: [Side]) -> String {
    let prompt = base.messages.map { message in
      base.messages.count > 1 ? "\(message.role): \(message.content)" : message.content
    }.joined(separator: "\n")
    let after = sides.compactMap { side -> String? in
      // Another base answer for another seed: what counts is that it is the same prompt.
      guard
        let answered = side.iteration.heldout.first(where: {
          $0.id == base.id && $0.messages == base.messages
        })
      else { return nil }
      let outcome = side.iteration.evaluation?.prompts.first { $0.prompt == base.id }
      let win = outcome.map { ", preferred \(Figure.decimals(100 * $0.win, 0))\u{A0}%" } ?? ""
      let always = sides.count < 2 ? " style=\"display:block\"" : ""
      return "<div class=\"answer after k\(side.place) s\(side.place % SeriesStyle.colours)\""
        + "\(always)><h4>\(HTML.escape("After: \(side.label), iteration \(side.iteration.number)"))"
        + "\(HTML.escape(win))</h4>\(Self.text(answered))</div>"
    }
    return "<article><p class=\"prompt\">\(HTML.escape(prompt))</p>\n<div class=\"pair\">"
      + "<div class=\"answer\"><h4>Before: the base model</h4>\(Self.text(base))</div>\n"
      + after.joined(separator: "\n") + "</div></article>"
  }

  private static func text(_ answered: RunResult.Answered) -> String {
    let text = answered.answers.first ?? ""
    return text.allSatisfy(\.isWhitespace)
      ? "<div class=\"note\">(empty)</div>" : "<div>\(HTML.escape(text))</div>"
  }
}
