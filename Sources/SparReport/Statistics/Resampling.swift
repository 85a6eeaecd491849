import SparEvaluation
import SparTensor

/// A bootstrap over prompts and replicates at once: each resample draws prompts and, independently,
/// replicates, and takes the cells where they cross.
///
/// Two resamplings of the same shape draw the same, so that figures of two arms on the same prompts
/// are resampled together.  With one replicate it is `Bootstrap` over prompts, to the same bits.
/// Source: Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2).
struct Resampling {
  private let bootstrap: Bootstrap
  private let promptDraws: [[Int32]]
  private let replicateDraws: [[Int32]]

  init(prompts: Int, replicates: Int, bootstrap: Bootstrap) {
    precondition(prompts > 0 && replicates > 0, "nothing to draw from")
    self.bootstrap = bootstrap
    var promptDraws: [[Int32]] = []
    var replicateDraws: [[Int32]] = []
    for resample in 0..<bootstrap.resamples {
      var random = Random(seed: bootstrap.seed, stage: .bootstrap, item: resample)
      promptDraws.append(Self.draw(prompts, &random))
      replicateDraws.append(replicates == 1 ? [0] : Self.draw(replicates, &random))
    }
    self.promptDraws = promptDraws
    self.replicateDraws = replicateDraws
  }

  private static func draw(_ count: Int, _ random: inout Random) -> [Int32] {
    // The high half of a product maps 64 random bits onto 0..<count, as in `Bootstrap`.
    (0..<count).map { _ in
      Int32(truncatingIfNeeded: random.next().multipliedFullWidth(by: UInt64(count)).high)
    }
  }

  /// The mean of each resample, over the drawn cells that exist; nil where none does.
  func means(_ table: PromptTable) -> [Double?] {
    let empty = -Double.infinity
    let cells = table.cells.map { $0.map { $0 ?? empty } }
    return zip(promptDraws, replicateDraws).map { prompts, replicates in
      var (sum, count) = (0.0, 0)
      for replicate in replicates {
        let row = cells[Int(replicate)]
        for prompt in prompts where row[Int(prompt)] != empty {
          sum += row[Int(prompt)]
          count += 1
        }
      }
      return count == 0 ? nil : sum / Double(count)
    }
  }

  /// Percentile interval of figures of resamples.
  static func interval(_ figures: [Double], level: Double = 0.95) -> ConfidenceInterval {
    let sorted = figures.sorted()
    let tail = (1 - level) / 2
    return ConfidenceInterval(
      lower: Bootstrap.quantile(sorted, tail), upper: Bootstrap.quantile(sorted, 1 - tail),
      level: level)
  }

  /// Two-sided: twice the smaller share of resampled differences on either side of zero, where
  /// the sample itself counts as one more of them, so that it is never 0.
  /// Source: Davison and Hinkley 1997, "Bootstrap Methods and their Application", §4.2.
  static func pValue(_ differences: [Double]) -> Double {
    let below = differences.count { $0 <= 0 }
    let above = differences.count { $0 >= 0 }
    return min(1, 2 * Double(min(below, above) + 1) / Double(differences.count + 1))
  }
}
