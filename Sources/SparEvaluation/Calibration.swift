import Foundation
import SparTensor

/// Whether a ranker's probabilities are what they say: right in 80 % of what it is 80 % sure of?
///
/// p is the probability that the ranker gives to the labelled verdict, q how certain the label is:
/// 1 for a plain one.  A row with q stands for a share q of rows with that verdict and 1 − q with
/// the opposite one; figures are means over both, so that turning a row round (1 − p, 1 − q)
/// changes nothing.
///
///     Brier    mean of q (1 − p)² + (1 − q) p²
///     log loss mean of −q ln p − (1 − q) ln(1 − p), in nats, p kept within [1e-7, 1 − 1e-7]
///     ECE      Σ_b n_b/n |right_b − confidence_b|, over ten bins b of max(p, 1 − p)
///
/// A constant p = ½ scores ¼ and ln 2 whatever the labels are.  A verdict with p = ½ is half right.
/// ECE is above 0 for a perfect ranker, too, since the shares right vary by chance, and is the more
/// so the fewer rows there are; `eceByChance` tells how much.  Its interval shares this bias.
///
/// Intervals draw prompts, each with all of its comparisons.  Nothing depends on the order of rows.
/// Sources: Brier 1950, "Verification of forecasts expressed in terms of probability" (for one of
/// the two outcomes); Guo et al. 2017, "On calibration of modern neural networks",
/// arXiv:1706.04599, equation 3, with bins that hold their lower end.
public struct Calibration: Codable, Equatable, Sendable {
  /// A figure and its interval.
  public typealias Figure = RankerAccuracy.Share

  /// Rows in which the ranker is about as sure.
  public struct Bin: Codable, Equatable, Sendable {
    /// max(p, 1 − p) is in [lower, upper); the last bin holds 1.
    public var lower: Double
    public var upper: Double
    public var count: Int
    /// Mean of max(p, 1 − p).
    public var confidence: Double
    /// Share of verdicts that are right.
    public var right: Double
    /// Wilson's interval of `right`, as if every row were a prompt of its own.
    public var interval: ConfidenceInterval

    public init(
      lower: Double, upper: Double, count: Int, confidence: Double, right: Double,
      interval: ConfidenceInterval
    ) {
      (self.lower, self.upper, self.count) = (lower, upper, count)
      (self.confidence, self.right, self.interval) = (confidence, right, interval)
    }
  }

  /// Comparisons that were made.
  public var comparisons: Int
  /// Comparisons that failed and are left out.
  public var failed: Int
  public var brier: Figure
  public var logLoss: Figure
  public var ece: Figure
  /// The mean ECE of a ranker with the same p whose labels are drawn by them; nil where labels are
  /// probabilities.
  public var eceByChance: Double?
  /// What p = ½ scores throughout.
  public var brierOfHalf = 0.25
  public var logLossOfHalf = M_LN2
  /// Nil where every p is ½.
  public var temperature: TemperatureScaling?
  /// Those of the ten bins that hold rows.
  public var bins: [Bin]

  /// p is kept this far from 0 and 1 before its logarithm is taken.
  public static let clamp = 1e-7
  static let binCount = 10
  private static let chanceDraws = 1000

  /// Nil without rows.
  public init?(_ rows: [CalibrationRow], failed: Int, bootstrap: Bootstrap = Bootstrap()) {
    guard !rows.isEmpty else { return nil }
    let prompts = Self.prompts(rows)
    let sums = PromptSums(prompts)
    let found = sums.figures(Array(prompts.indices))
    let intervals = bootstrap.intervals(prompts: prompts.count) { sums.figures($0) }
    let figures = zip(found, intervals).map { Figure(value: $0, interval: $1) }
    comparisons = rows.count
    self.failed = failed
    (brier, logLoss, ece) = (figures[0], figures[1], figures[2])
    let sorted = prompts.flatMap { $0 }
    let isHard = rows.allSatisfy { $0.label == 0 || $0.label == 1 }
    eceByChance = isHard ? Self.byChance(sorted, bootstrap) : nil
    temperature = TemperatureScaling(prompts)
    bins = (0..<Self.binCount).compactMap { Self.bin($0, sorted) }
  }

  /// Rows by prompt, in an order that rows alone decide.
  private static func prompts(_ rows: [CalibrationRow]) -> [[CalibrationRow]] {
    Dictionary(grouping: rows, by: \.prompt).values.map { $0.sorted(by: <) }
      .sorted { $0.lexicographicallyPrecedes($1, by: <) }
  }

  /// The lower end of a bin; 0.5, 0.55, … as they are written.
  static func edge(_ bin: Int) -> Double { Double(binCount + bin) / Double(2 * binCount) }

  private static func bin(_ number: Int, _ rows: [CalibrationRow]) -> Bin? {
    let own = rows.filter { $0.bin == number }
    guard !own.isEmpty else { return nil }
    let n = Double(own.count)
    let right = own.reduce(0) { $0 + $1.right } / n
    return Bin(
      lower: edge(number), upper: edge(number + 1), count: own.count,
      confidence: own.reduce(0) { $0 + $1.confidence } / n, right: right,
      interval: ConfidenceInterval(wilson: right, of: own.count))
  }

  private static func byChance(_ rows: [CalibrationRow], _ bootstrap: Bootstrap) -> Double {
    var sum = 0.0
    for draw in 0..<chanceDraws {
      // Another stream than the one that draws prompts.
      var random = Random(seed: bootstrap.seed, stage: .bootstrap, item: draw, sub: 1)
      var gaps = [Double](repeating: 0, count: binCount)
      for row in rows where row.confidence > 0.5 {
        gaps[row.bin] += (random.uniform() < row.confidence ? 1 : 0) - row.confidence
      }
      sum += gaps.reduce(0) { $0 + abs($1) } / Double(rows.count)
    }
    return sum / Double(chanceDraws)
  }
}

/// What a ranker says of one comparison, and what the label says.
public struct CalibrationRow: Equatable, Sendable {
  /// That the labelled answer wins, in [0, 1].
  public var probability: Double
  /// Of `probability`, where it is known better than from there.
  public var logOdds: Double
  /// How certain the label is, in [0, 1].
  public var label: Double
  /// Rows of one prompt belong together.
  public var prompt: Int

  /// - Parameter logOdds: nil = those of `probability`, kept 1e-7 from 0 and 1.
  public init(probability: Double, logOdds: Double? = nil, label: Double = 1, prompt: Int) {
    precondition((0...1).contains(probability) && (0...1).contains(label), "probabilities")
    self.probability = probability
    let p = min(max(probability, Calibration.clamp), 1 - Calibration.clamp)
    self.logOdds = logOdds ?? (log(p) - log1p(-p))
    self.label = label
    self.prompt = prompt
  }

  /// Answer i against answer j of a table of K: p = ½ (P[i][j] + 1 − P[j][i]), which is P[i][j]
  /// where the table is antisymmetric; then the log-odds are the table's own.
  ///
  /// - Parameters:
  ///   - probability: P, K×K row-major.
  ///   - logOdds: W, K×K row-major; empty = those of p.
  public init(
    _ i: Int, over j: Int, k: Int, probability: [Double], logOdds: [Double], label: Double,
    prompt: Int
  ) {
    let (there, back) = (probability[i * k + j], probability[j * k + i])
    let isAntisymmetric = abs(there + back - 1) < 1e-12
    self.init(
      probability: (there + (1 - back)) / 2,
      logOdds: isAntisymmetric && !logOdds.isEmpty
        ? (logOdds[i * k + j] - logOdds[j * k + i]) / 2 : nil,
      label: label, prompt: prompt)
  }

  var confidence: Double { max(probability, 1 - probability) }

  /// How right the verdict is: q, 1 − q, or ½ where there is none.
  var right: Double { probability > 0.5 ? label : probability < 0.5 ? 1 - label : 0.5 }

  var bin: Int {
    (1..<Calibration.binCount).last { confidence >= Calibration.edge($0) } ?? 0
  }

  var brier: Double {
    label * (1 - probability) * (1 - probability) + (1 - label) * probability * probability
  }

  var logLoss: Double {
    let p = min(max(probability, Calibration.clamp), 1 - Calibration.clamp)
    return -label * log(p) - (1 - label) * log1p(-p)
  }

  /// An order of what rows say, whatever prompt they are of.
  static func < (a: CalibrationRow, b: CalibrationRow) -> Bool {
    (a.logOdds, a.probability, a.label) < (b.logOdds, b.probability, b.label)
  }
}

/// Sums over the rows of each prompt, from which figures of drawn prompts are quick.
private struct PromptSums {
  private var counts: [Double] = []
  private var brier: [Double] = []
  private var logLoss: [Double] = []
  /// Prompt c has the rows starts[c]..<starts[c + 1].
  private var starts = [0]
  private var bins: [Int] = []
  /// Right − confidence, row by row.
  private var gaps: [Double] = []

  init(_ prompts: [[CalibrationRow]]) {
    for rows in prompts {
      counts.append(Double(rows.count))
      brier.append(rows.reduce(0) { $0 + $1.brier })
      logLoss.append(rows.reduce(0) { $0 + $1.logLoss })
      bins += rows.map(\.bin)
      gaps += rows.map { $0.right - $0.confidence }
      starts.append(gaps.count)
    }
  }

  /// Brier, log loss and ECE.
  func figures(_ drawn: [Int]) -> [Double] {
    var (n, squares, nats) = (0.0, 0.0, 0.0)
    var apart = [Double](repeating: 0, count: Calibration.binCount)
    for c in drawn {
      n += counts[c]
      squares += brier[c]
      nats += logLoss[c]
      for row in starts[c]..<starts[c + 1] { apart[bins[row]] += gaps[row] }
    }
    return [squares / n, nats / n, apart.reduce(0) { $0 + abs($1) } / n]
  }
}

extension ConfidenceInterval {
  /// Wilson's 95 % score interval of a share of n.
  /// Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
  init(wilson share: Double, of count: Int) {
    let (n, z) = (Double(count), 1.959963984540054)
    let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half =
      z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    // The ends are exact where the share is 0 or 1; rounding must not go beyond.
    self.init(lower: max(0, middle - half), upper: min(1, middle + half))
  }
}
