import SparDiagnostics

/// A ranker's probabilities against the verdicts of another one on the same answers.
///
/// P > ½ of the other counts as a label, however sure it is, and so does its being wrong: this
/// measures agreement, not truth.  Pairs at which the other has exactly ½ are left out, and pairs
/// that the ranker itself could not compare.
public struct VerdictCalibration: Codable, Equatable, Sendable {
  /// The file of the other's table.
  public var verdictsOf: String
  /// The other, as its file says it; nil where it does not.
  public var ranker: String?
  /// Prompts that both have with as many answers.
  public var prompts = 0
  /// Pairs about which the other says nothing.
  public var withoutVerdict = 0
  /// Nil where no pair is left.
  public var calibration: Calibration?

  public init(
    _ ours: RankedTable, verdictsOf theirs: RankedTable, bootstrap: Bootstrap = Bootstrap()
  ) {
    verdictsOf = theirs.path
    if case .string(let name)? = theirs.attributes["ranker"] { ranker = name }
    let others = Dictionary(theirs.prompts.map { ($0.id, $0) }) { earlier, _ in earlier }
    var rows: [CalibrationRow] = []
    var failed = 0
    for prompt in ours.prompts {
      guard let other = others[prompt.id], other.tournament.k == prompt.tournament.k else {
        continue
      }
      prompts += 1
      let k = prompt.tournament.k
      let (p, verdicts) = (prompt.tournament.probability, other.tournament.probability)
      for i in 0..<k {
        for j in (i + 1)..<max(k, i + 1) {
          // As in `CalibrationRow`: the mean of what both entries say.
          let verdict = verdicts[i * k + j] - verdicts[j * k + i]
          guard verdict != 0 else {
            withoutVerdict += 1
            continue
          }
          guard prompt.failed.isEmpty || !prompt.failed[i * k + j] else {
            failed += 1
            continue
          }
          rows.append(
            CalibrationRow(
              i, over: j, k: k, probability: p, logOdds: prompt.logOdds,
              label: verdict > 0 ? 1 : 0, prompt: prompts))
        }
      }
    }
    calibration = Calibration(rows, failed: failed, bootstrap: bootstrap)
  }

  /// As printed beneath a table's diagnostics.
  public var lines: [String] {
    let title = "calibration against the verdicts of \(verdictsOf)"
    guard let calibration else { return ["\(title): no pair has one"] }
    let head =
      "\(title): \(calibration.comparisons) pairs of \(prompts) prompts"
      + (withoutVerdict > 0 ? ", \(withoutVerdict) without a verdict left out" : "")
    return [head]
      + (calibration.rows + calibration.binRows).map { "  " + $0.joined(separator: ": ") }
  }
}
