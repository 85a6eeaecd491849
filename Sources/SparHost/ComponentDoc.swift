/// What a component says about itself: a sentence, and for who wants to know, its mathematics.
///
///     Regresses log-ratios to win rates.
///     formula: L = ½ (r − (P − ½)/β)²
///     paper: Wu et al. 2024, arXiv:2405.00675
struct ComponentDoc: Equatable {
  var sentence: String
  var formula: String?
  var paper: String?

  /// Lines that begin with neither name go on with what stands before them.
  init(_ text: String) {
    enum Part { case sentence, formula, paper }
    var lines: [Part: [Substring]] = [:]
    var part = Part.sentence
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
      var rest = line
      for (name, next) in [("formula: ", Part.formula), ("paper: ", .paper)]
      where line.hasPrefix(name) {
        part = next
        rest = line.dropFirst(name.count)
      }
      lines[part, default: []].append(rest)
    }
    sentence = lines[.sentence, default: []].joined(separator: " ")
    formula = lines[.formula]?.joined(separator: " ")
    paper = lines[.paper]?.joined(separator: " ")
  }
}
