import SparEvaluation
import SparTensor
import Testing

@Suite("Bootstrap") struct BootstrapTests {
  @Test("the same seed gives the same interval, another seed another")
  func determinism() {
    var random = Random(seed: 3, stage: .shuffle)
    let values = (0..<40).map { _ in random.uniform() }
    let first = Bootstrap(resamples: 300, seed: 7).interval(of: values)
    #expect(first == Bootstrap(resamples: 300, seed: 7).interval(of: values))
    #expect(first != Bootstrap(resamples: 300, seed: 8).interval(of: values))
  }

  @Test("equal values leave no doubt") func degenerate() {
    let interval = Bootstrap(resamples: 50).interval(of: [0.25, 0.25, 0.25])
    #expect(interval.lower == 0.25 && interval.upper == 0.25)
    #expect(Bootstrap(resamples: 50).interval(of: [1]).upper == 1)
  }

  @Test("the width is that of the normal approximation") func width() {
    // 400 fair coins: the standard error of the mean is 0.5 / 20 = 0.025, ± 1.96 of it 0.049.
    let coins = (0..<400).map { $0 % 2 == 0 ? 1.0 : 0.0 }
    let interval = Bootstrap(resamples: 1000, seed: 1).interval(of: coins)
    #expect(abs(interval.lower - 0.451) < 0.006, "\(interval)")
    #expect(abs(interval.upper - 0.549) < 0.006, "\(interval)")
  }

  @Test("a higher level makes a wider interval") func levels() {
    var random = Random(seed: 5, stage: .shuffle)
    let values = (0..<30).map { _ in random.uniform() }
    let bootstrap = Bootstrap(resamples: 400, seed: 2)
    let (narrow, wide) = (
      bootstrap.interval(of: values, level: 0.5), bootstrap.interval(of: values, level: 0.99)
    )
    #expect(wide.lower < narrow.lower && narrow.upper < wide.upper)
  }

  @Test("about 95 of 100 experiments hold the true mean") func coverage() {
    var random = Random(seed: 11, stage: .shuffle)
    let experiments = 120
    let hits = (0..<experiments).count { experiment in
      let values = (0..<30).map { _ in random.uniform() < 0.6 ? 1.0 : 0.0 }
      return Bootstrap(resamples: 200, seed: UInt64(experiment)).interval(of: values).contains(0.6)
    }
    // Percentile intervals of 30 coins cover a little less than 95 %; three standard errors each.
    #expect((105...120).contains(hits), "\(hits) of \(experiments)")
  }
}
