import SparTensor

/// A range that holds the true value in `level` of repeated experiments, about.
public struct ConfidenceInterval: Equatable, Sendable, Codable {
  public var lower: Double
  public var upper: Double
  public var level: Double

  public init(lower: Double, upper: Double, level: Double = 0.95) {
    self.lower = lower
    self.upper = upper
    self.level = level
  }

  public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
}

/// Percentile bootstrap of a mean over prompts.
///
/// Prompts are what was sampled, so prompts are resampled, each with all of its answers.
/// Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
public struct Bootstrap: Equatable, Sendable, Codable {
  public var resamples: Int
  public var seed: UInt64

  public init(resamples: Int = 10_000, seed: UInt64 = 0) {
    precondition(resamples > 0, "a bootstrap needs resamples")
    self.resamples = resamples
    self.seed = seed
  }

  /// The interval of the mean of `values`.  Two calls with as many values draw the same prompts,
  /// so intervals of figures of the same prompts belong together.  Cost: resamples × values.
  public func interval(of values: [Double], level: Double = 0.95) -> ConfidenceInterval {
    precondition(!values.isEmpty, "no values, no interval")
    let count = UInt64(values.count)
    return percentiles(level) { random in
      var sum = 0.0
      // The high half of a product maps 64 random bits onto 0..<count without a division.
      for _ in 0..<values.count {
        sum += values[Int(random.next().multipliedFullWidth(by: count).high)]
      }
      return sum / Double(values.count)
    }
  }

  /// The same for a mean over comparisons of which several may share a prompt: prompts are drawn,
  /// each with all of its comparisons.  With one comparison a prompt it is `interval(of:)`.
  ///
  /// - Parameter prompts: which prompt each value belongs to, as numbers from 0 without a gap.
  public func interval(
    of values: [Double], prompts: [Int], level: Double = 0.95
  ) -> ConfidenceInterval {
    precondition(!values.isEmpty && values.count == prompts.count, "a prompt for each value")
    var sums = [Double](repeating: 0, count: (prompts.max() ?? 0) + 1)
    var counts = sums
    for (value, prompt) in zip(values, prompts) {
      sums[prompt] += value
      counts[prompt] += 1
    }
    precondition(!counts.contains(0), "prompts are numbered without a gap")
    return percentiles(level) { random in
      var (sum, count) = (0.0, 0.0)
      for _ in sums.indices {
        let drawn = Int(random.next().multipliedFullWidth(by: UInt64(sums.count)).high)
        sum += sums[drawn]
        count += counts[drawn]
      }
      return sum / count
    }
  }

  /// Intervals of figures that need not be means.  Cost: resamples × what `figures` costs.
  ///
  /// - Parameters:
  ///   - count: prompts, at least one.
  ///   - figures: the figures of the prompts that were drawn, which may hold a prompt several
  ///     times; as many figures each time.
  public func intervals(
    prompts count: Int, level: Double = 0.95, of figures: ([Int]) -> [Double]
  ) -> [ConfidenceInterval] {
    precondition(count > 0, "no prompts, no interval")
    var drawn = [Int](repeating: 0, count: count)
    let found = (0..<resamples).map { resample in
      var random = Random(seed: seed, stage: .bootstrap, item: resample)
      for place in drawn.indices {
        drawn[place] = Int(random.next().multipliedFullWidth(by: UInt64(count)).high)
      }
      return figures(drawn)
    }
    return found[0].indices.map { figure in between(found.map { $0[figure] }, level) }
  }

  private func percentiles(
    _ level: Double, _ statistic: (inout Random) -> Double
  ) -> ConfidenceInterval {
    between(
      (0..<resamples).map { resample in
        var random = Random(seed: seed, stage: .bootstrap, item: resample)
        return statistic(&random)
      }, level)
  }

  private func between(_ found: [Double], _ level: Double) -> ConfidenceInterval {
    precondition(level > 0 && level < 1, "level \(level) is not a share")
    let sorted = found.sorted()
    let tail = (1 - level) / 2
    return ConfidenceInterval(
      lower: Self.quantile(sorted, tail), upper: Self.quantile(sorted, 1 - tail), level: level)
  }

  /// Linear between order statistics ("type 7", the default of R and NumPy); `sorted` ascends and
  /// is not empty.
  public static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
    return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
  }
}
