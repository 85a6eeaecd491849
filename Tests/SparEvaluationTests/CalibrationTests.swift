import Foundation
import SparEvaluation
import SparTensor
import Testing

@Suite("Calibration") struct CalibrationTests {
  private let bootstrap = Bootstrap(resamples: 200, seed: 1)

  /// Each row a prompt of its own.
  private func rows(_ all: [(p: Double, q: Double)]) -> [CalibrationRow] {
    all.enumerated().map {
      CalibrationRow(probability: $0.element.p, label: $0.element.q, prompt: $0.offset)
    }
  }

  private func calibration(_ all: [(p: Double, q: Double)]) throws -> Calibration {
    try #require(Calibration(rows(all), failed: 0, bootstrap: bootstrap))
  }

  private func isNear(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
    abs(a - b) <= tolerance
  }

  @Test("four rows by hand")
  func byHand() throws {
    let found = try calibration([(0.8, 1), (0.8, 0), (0.6, 1), (0.3, 1)])
    #expect(found.comparisons == 4)
    #expect(isNear(found.brier.value, (0.04 + 0.64 + 0.16 + 0.49) / 4))
    #expect(isNear(found.logLoss.value, -(log(0.8) + log(0.2) + log(0.6) + log(0.3)) / 4))
    // Sure by 0.8 twice and right once, by 0.6 and right, by 0.7 and wrong.
    #expect(isNear(found.ece.value, (0.6 + 0.4 + 0.7) / 4))
    #expect(found.bins.map(\.count) == [1, 1, 2])
    #expect(found.bins.map(\.lower) == [0.6, 0.7, 0.8])
    #expect(found.bins.map(\.right) == [1, 0, 0.5])
    // Wilson's interval of one of two.
    let interval = found.bins[2].interval
    #expect(isNear(interval.lower, 0.0945, 5e-5) && isNear(interval.upper, 0.9055, 5e-5))
    for figure in [found.brier, found.logLoss, found.ece] {
      #expect(figure.interval.lower <= figure.value && figure.value <= figure.interval.upper)
    }
  }

  @Test("Wilson's interval ends at 0 and 1 where nothing and everything is right")
  func certain() throws {
    let right = try #require(try calibration([(0.9, 1), (0.9, 1)]).bins.first)
    let z2 = 1.959963984540054 * 1.959963984540054
    #expect(right.interval.upper == 1 && isNear(right.interval.lower, 2 / (2 + z2)))
    let wrong = try #require(try calibration([(0.9, 0), (0.9, 0)]).bins.first)
    #expect(wrong.interval.lower == 0 && isNear(wrong.interval.upper, z2 / (2 + z2)))
  }

  @Test("a bin holds its lower end, from either side of one half")
  func edges() throws {
    for edge in 0..<10 {
      let sure = Double(50 + 5 * edge) / 100
      for p in [sure, 1 - sure] {
        let found = try calibration([(p, 1)])
        #expect(found.bins.map(\.lower) == [sure], "\(p)")
      }
    }
    #expect(try calibration([(1, 1)]).bins.map(\.upper) == [1])
  }

  @Test("a soft label is so many rows of either verdict")
  func soft() throws {
    func prompt(_ all: [(p: Double, q: Double)]) throws -> Calibration {
      try #require(
        Calibration(
          all.map { CalibrationRow(probability: $0.p, label: $0.q, prompt: 0) }, failed: 0,
          bootstrap: bootstrap))
    }
    let soft = try prompt([(0.9, 0.75), (0.3, 0.25)])
    let hard = try prompt([
      (0.9, 1), (0.9, 1), (0.9, 1), (0.9, 0), (0.3, 1), (0.3, 0), (0.3, 0), (0.3, 0),
    ])
    #expect(isNear(soft.brier.value, hard.brier.value))
    #expect(isNear(soft.logLoss.value, hard.logLoss.value))
    #expect(isNear(soft.ece.value, hard.ece.value))
    let (a, b) = (try #require(soft.temperature), try #require(hard.temperature))
    #expect(isNear(try #require(a.value), try #require(b.value), 1e-9))
    #expect(isNear(a.logLoss, b.logLoss))
    #expect(soft.eceByChance == nil && hard.eceByChance != nil)
    // Whatever the labels, one half scores the same.
    let half = try prompt([(0.5, 0.9), (0.5, 0)])
    #expect(half.brier.value == 0.25 && isNear(half.logLoss.value, log(2)))
    #expect(half.brierOfHalf == 0.25 && isNear(half.logLossOfHalf, log(2)))
  }

  @Test("turning a comparison round changes nothing, nor does the order of rows and prompts")
  func symmetry() throws {
    var random = Random(seed: 4, stage: .shuffle)
    let rows = (0..<60).map { row in
      CalibrationRow(
        probability: Double(Int(random.uniform() * 64)) / 64,
        label: random.uniform() < 0.6 ? 1 : 0, prompt: row / 3)
    }
    let found = try #require(Calibration(rows, failed: 2, bootstrap: bootstrap))
    let order = rows.indices.shuffled(using: &random)
    // Prompts are numbered otherwise, too; the same rows stay together.
    let moved = order.map { place in
      CalibrationRow(
        probability: rows[place].probability, label: rows[place].label,
        prompt: 77 - rows[place].prompt)
    }
    #expect(Calibration(moved, failed: 2, bootstrap: bootstrap) == found)
    let turned = try #require(
      Calibration(
        rows.map {
          CalibrationRow(
            probability: 1 - $0.probability, label: 1 - $0.label, prompt: $0.prompt)
        }, failed: 2, bootstrap: bootstrap))
    #expect(isNear(turned.brier.value, found.brier.value))
    #expect(isNear(turned.logLoss.value, found.logLoss.value))
    #expect(isNear(turned.ece.value, found.ece.value))
    #expect(turned.bins.map(\.count) == found.bins.map(\.count))
    // Rows that belong together otherwise leave the figures and move the intervals.
    let apart = try #require(
      Calibration(
        rows.enumerated().map {
          CalibrationRow(
            probability: $0.element.probability, label: $0.element.label, prompt: $0.offset)
        }, failed: 2, bootstrap: bootstrap))
    #expect(isNear(apart.brier.value, found.brier.value))
    #expect(apart.brier.interval != found.brier.interval)
  }

  @Test("certainty that is wrong costs a finite log loss")
  func clamp() throws {
    let found = try calibration([(0, 1)])
    #expect(found.brier.value == 1 && isNear(found.logLoss.value, -log(1e-7)))
    #expect(found.ece.value == 1)
    #expect(try isNear(calibration([(1, 1)]).logLoss.value, 1e-7, 1e-12))
  }

  /// A ranker whose log-odds are `factor` times the right ones.
  private func simulated(_ count: Int, factor: Double, seed: UInt64 = 9) -> [CalibrationRow] {
    var random = Random(seed: seed, stage: .shuffle)
    return (0..<count).map { prompt in
      let odds = 6 * random.uniform() - 3
      let label: Double = random.uniform() < 1 / (1 + exp(-odds)) ? 1 : 0
      let x = factor * odds
      return CalibrationRow(
        probability: 1 / (1 + exp(-x)), logOdds: x, label: label, prompt: prompt)
    }
  }

  @Test("labels drawn by the probabilities: no error but by chance, temperature 1")
  func calibrated() throws {
    let found = try #require(
      Calibration(simulated(1500, factor: 1), failed: 0, bootstrap: bootstrap))
    let chance = try #require(found.eceByChance)
    #expect(chance > 0.005 && chance < 0.03)
    #expect(found.ece.value > chance / 3 && found.ece.value < 3 * chance)
    let temperature = try #require(found.temperature)
    let (value, lower, upper) = (
      try #require(temperature.value), try #require(temperature.lower),
      try #require(temperature.upper)
    )
    #expect(isNear(value, 1, 0.1) && lower < 1 && 1 < upper && lower < value && value < upper)
    #expect(temperature.reading == .undecided && temperature.bound == nil)
    #expect(temperature.text.contains("neither over- nor under-confident"))
    #expect(temperature.logLoss <= found.logLoss.value && found.logLoss.value < log(2))
  }

  @Test("log-odds three times too large, and three times too small, are found")
  func overConfident() throws {
    let right = try #require(
      Calibration(simulated(1500, factor: 1), failed: 0, bootstrap: bootstrap)?.temperature?.value)
    for (factor, word) in [(3.0, "over-confident"), (1 / 3.0, "under-confident")] {
      let found = try #require(
        Calibration(simulated(1500, factor: factor), failed: 0, bootstrap: bootstrap))
      let temperature = try #require(found.temperature)
      let value = try #require(temperature.value)
      #expect(isNear(value / factor, 1, 0.1))
      // The law behind it: log-odds times c have c times the temperature.
      #expect(isNear(value / factor, right, 1e-9))
      #expect(temperature.reading.rawValue == word && temperature.text.contains(": \(word);"))
      #expect(found.ece.value > 0.08)
      #expect(found.ece.interval.lower > 3 * (try #require(found.eceByChance)))
    }
  }

  @Test("one size of log-odds: the temperature is known, and its interval")
  func closedForm() throws {
    // Sure by 0.9 and right in three of four: σ(ln 9/T) = ¾, so T = ln 9/ln 3.
    let temperature = try #require(
      try calibration([(0.9, 1), (0.9, 1), (0.1, 0), (0.9, 0)]).temperature)
    #expect(isNear(try #require(temperature.value), 2, 1e-9))
    #expect(isNear(temperature.logLoss, -0.75 * log(0.75) - 0.25 * log(0.25), 1e-9))
    // Slopes ¼ (three times) and ¾, curvature 3/16 each, all times ln 9: error √(4/3 · ¾)/(¾ ln 9).
    let error = 1 / (0.75 * log(9))
    #expect(isNear(try #require(temperature.lower), 1 / (0.5 + 1.959963984540054 * error), 1e-9))
    #expect(temperature.upper == nil && temperature.reading == .undecided)
    #expect(temperature.figure == "2.00 (0.592–∞)")
  }

  @Test("log-odds that p cannot hold any more count in full")
  func extreme() throws {
    let rows = [1.0, 1, 1, 0].enumerated().map {
      CalibrationRow(probability: 1, logOdds: 40, label: $0.element, prompt: $0.offset)
    }
    let found = try #require(Calibration(rows, failed: 0, bootstrap: bootstrap))
    #expect(isNear(try #require(found.temperature?.value), 40 / log(3), 1e-6))
    // Numbers at the end of what a Double holds are no trap.
    for size in [1e-308, 1e308] {
      let rows = [1.0, 1, 0].enumerated().map {
        CalibrationRow(
          probability: size > 1 ? 1 : 0.5, logOdds: size, label: $0.element, prompt: $0.offset)
      }
      let found = try #require(Calibration(rows, failed: 0, bootstrap: bootstrap)?.temperature)
      #expect([found.value, found.lower, found.upper].allSatisfy { $0?.isFinite ?? true })
      #expect(found.logLoss.isFinite)
    }
  }

  @Test("all right: no temperature is low enough")
  func allRight() throws {
    let found = try #require(
      try calibration((0..<12).map { ($0 % 2 == 0 ? 0.6 : 0.4, $0 % 2 == 0 ? 1 : 0) }).temperature)
    #expect(found.value == nil && found.bound == .zero && found.logLoss == 0)
    #expect(found.reading == .underConfident && found.figure == "→ 0")
    // One right verdict of a ranker that is hardly sure tells nothing.
    let single = try #require(try calibration([(0.6, 1)]).temperature)
    #expect(single.bound == .zero && single.reading == .undecided)
  }

  @Test("all wrong, or no better than a coin: no temperature is high enough")
  func allWrong() throws {
    let wrong = try #require(try calibration((0..<12).map { _ in (0.8, 0) }).temperature)
    #expect(wrong.value == nil && wrong.bound == .infinite && isNear(wrong.logLoss, log(2)))
    #expect(wrong.reading == .overConfident && wrong.figure == "∞")
    let coin = try #require(
      try calibration((0..<30).map { ($0 % 3 == 0 ? 0.9 : 0.1, 1) }).temperature)
    #expect(coin.value == nil && coin.bound == .infinite && isNear(coin.logLoss, log(2)))
    #expect(coin.reading == .overConfident && coin.upper == nil)
    #expect(coin.text.contains("over-confident, its verdicts are no better"))
  }

  @Test("where every p is one half there is no temperature; where there are no rows, nothing")
  func empty() throws {
    let halves = try calibration([(0.5, 1), (0.5, 0)])
    #expect(halves.temperature == nil && halves.ece.value == 0 && halves.eceByChance == 0)
    #expect(halves.rows.contains { $0[1] == "none: every P is ½" })
    #expect(Calibration([], failed: 3, bootstrap: bootstrap) == nil)
    // Verdicts that were not given leave the temperature alone, and cost ln 2 each.
    let some = try #require(try calibration([(0.9, 1), (0.9, 1), (0.9, 1), (0.9, 0)]).temperature)
    let mixed = try #require(
      try calibration([(0.9, 1), (0.9, 1), (0.9, 1), (0.9, 0), (0.5, 1), (0.5, 0)]).temperature)
    #expect(isNear(try #require(mixed.value), try #require(some.value), 1e-12))
    #expect(isNear(mixed.logLoss, (4 * some.logLoss + 2 * log(2)) / 6))
  }

  @Test("comparisons of one prompt are drawn together, so they widen the intervals")
  func clusters() throws {
    func width(_ prompt: (Int) -> Int) throws -> Double {
      let rows = (0..<60).map { row in
        CalibrationRow(
          probability: 0.8, label: row / 10 % 2 == 0 ? 1 : 0, prompt: prompt(row))
      }
      let found = try #require(Calibration(rows, failed: 0, bootstrap: bootstrap))
      return found.brier.interval.upper - found.brier.interval.lower
    }
    #expect(try width { $0 / 10 } > 2 * width { $0 })
  }

  @Test("what is encoded is decoded, bounds included")
  func around() throws {
    for rows in [[(0.8, 1.0), (0.7, 0.0)], [(0.8, 1)], [(0.8, 0)], [(0.5, 1)], [(0.7, 0.4)]] {
      let found = try calibration(rows)
      let text = try JSONEncoder().encode(found)
      #expect(try JSONDecoder().decode(Calibration.self, from: text) == found)
    }
  }
}
