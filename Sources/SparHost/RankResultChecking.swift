import Glibc

/// A ranker's outputs as it left them; every number was NaN before.
struct RankOutputs {
  var k: Int
  var raw: [Double]
  var pairwise: [Double]
  var score: [Double]
  /// [k, k] and [k]; empty = none.
  var failed: [Bool] = []
  var truncated: [Bool] = []
}

/// An entry of a result and what is wrong with it.
struct RankFault: Error {
  var entry: String
  var what: String
}

extension RankOutputs {
  /// The result, when it keeps the contract.  The table that is not native may be left out:
  /// P = 1/(1 + e^-raw), raw = ln(P/(1 - P)).
  func checked(_ flags: RankerFlags) throws(RankFault) -> RankResult {
    var raw = raw
    var pairwise = pairwise
    let failed = try settleFailures(&raw, &pairwise)
    let truncated = truncated.isEmpty ? [Bool](repeating: false, count: k) : truncated
    if flags.contains(.nativeRaw) {
      if isUntouched(pairwise) { pairwise = raw.map(logistic) }
    } else if isUntouched(raw) {
      raw = pairwise.map(logOdds)
    }
    for i in 0..<k {
      for j in 0..<k {
        let r = raw[i * k + j]
        let p = pairwise[i * k + j]
        guard r.isFinite, i != j || r == 0 else {
          throw fault("raw", i, j, r, "finite, 0 on i = j")
        }
        guard 0...1 ~= p, i != j || p == 0.5 else {
          throw fault("pairwise", i, j, p, "in 0...1, 0.5 on i = j")
        }
        guard !flags.contains(.complement) || abs(p + pairwise[j * k + i] - 1) <= 1e-6 else {
          throw RankFault(
            entry: "pairwise[\(i)][\(j)]",
            what: "+ [\(j)][\(i)] is \(p + pairwise[j * k + i]), the ranker claims 1")
        }
      }
    }
    if k == 0 || (isUntouched(score) && !flags.contains(.scalar)) {
      return RankResult(
        k: k, raw: raw, pairwise: pairwise, score: nil, failed: failed, truncated: truncated)
    }
    if let row = score.firstIndex(where: { !$0.isFinite }) {
      throw RankFault(entry: "score[\(row)]", what: "is \(score[row]), must be finite")
    }
    return RankResult(
      k: k, raw: raw, pairwise: pairwise, score: score, failed: failed, truncated: truncated)
  }

  /// A pair that failed in one order has failed in both, and no number stands for it.
  private func settleFailures(
    _ raw: inout [Double], _ pairwise: inout [Double]
  ) throws(RankFault) -> [Bool] {
    var settled = [Bool](repeating: false, count: k * k)
    guard failed.contains(true) else { return settled }
    let (hasRaw, hasPairwise) = (!isUntouched(raw), !isUntouched(pairwise))
    for i in 0..<k {
      for j in 0..<k where failed[i * k + j] {
        guard i != j else {
          throw RankFault(entry: "failed[\(i)][\(i)]", what: "is set; an answer equals itself")
        }
        for cell in [i * k + j, j * k + i] {
          settled[cell] = true
          if hasRaw { raw[cell] = 0 }
          if hasPairwise { pairwise[cell] = 0.5 }
        }
      }
    }
    return settled
  }

  private func isUntouched(_ values: [Double]) -> Bool {
    values.allSatisfy(\.isNaN)
  }

  private func fault(
    _ table: String, _ i: Int, _ j: Int, _ value: Double, _ law: String
  ) -> RankFault {
    RankFault(entry: "\(table)[\(i)][\(j)]", what: "is \(value), must be \(law)")
  }
}

private func logistic(_ x: Double) -> Double {
  x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
}

/// P is kept 2^-53 away from 0 and 1, so that log-odds stay finite (within ±36.8).
private func logOdds(_ p: Double) -> Double {
  let kept = min(max(p, 0x1p-53), 1 - 0x1p-53)
  return p == 0.5 ? 0 : log(kept) - log1p(-kept)
}
