/// How much a ranker's raw scores depend on which answer is shown first.
struct OrderTally {
  private var pairs = 0
  private var disagreeing = 0
  private var sum = 0.0
  private var difference = 0.0

  mutating func add(_ row: RankedPrompt) {
    let k = row.tournament.k
    for i in 0..<k {
      for j in (i + 1)..<max(k, i + 1) {
        let (forward, backward) = (row.raw[i * k + j], row.raw[j * k + i])
        pairs += 1
        sum += forward + backward
        difference += abs(forward - backward)
        // M(i, j) > 0 and M(j, i) > 0: whoever comes first wins.
        if forward * backward > 0 { disagreeing += 1 }
      }
    }
  }

  /// Share of disagreeing pairs and bias to the first; nils for an antisymmetric table.
  var result: (disagreement: Double?, bias: Double?) {
    guard pairs > 0, difference > 0, abs(sum) > 1e-9 * difference || disagreeing > 0 else {
      return (nil, nil)
    }
    return (Double(disagreeing) / Double(pairs), sum / difference)
  }
}
