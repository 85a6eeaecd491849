import SparEvaluation
import Testing

@testable import SparReport

@Suite("Holm's correction") struct HolmTests {
  @Test("as computed by hand: 3·0.01, 2·0.02, 1·0.04")
  func byHand() {
    let corrected = Holm.correct([0.01, 0.04, 0.02])
    #expect(zip(corrected, [0.03, 0.04, 0.04]).allSatisfy { abs($0 - $1) < 1e-15 })
  }

  @Test("a smaller p never ends up with the larger correction, and none exceeds 1")
  func monotone() {
    // 4·0.01, 3·0.03 = 0.09, 2·0.04 = 0.08 raised to 0.09, 0.9.
    let corrected = Holm.correct([0.04, 0.9, 0.01, 0.03])
    #expect(zip(corrected, [0.09, 0.9, 0.04, 0.09]).allSatisfy { abs($0 - $1) < 1e-15 })
    #expect(Holm.correct([0.6, 0.7]) == [1, 1])
    #expect(Holm.correct([0.2]) == [0.2])
    #expect(Holm.correct([]) == [])
  }
}

@Suite("Paired bootstrap") struct PairedBootstrapTests {
  private let bootstrap = Bootstrap(resamples: 2000, seed: 5)

  private func table(_ rows: [String: [Double?]]) -> PromptTable {
    let sorted = rows.sorted { $0.key < $1.key }
    return PromptTable(
      replicates: sorted.map(\.key),
      prompts: (0..<(sorted.first?.value.count ?? 0)).map { "q\($0)" }, cells: sorted.map(\.value))
  }

  @Test("with one run it is the evaluation's own interval, to the same bits")
  func oneReplicate() throws {
    let values = [0, 1, 0.5, 1, 1, 0, 1, 0.25]
    let estimate = try #require(Estimate(table(["1": values]), bootstrap))
    #expect(estimate.interval == bootstrap.interval(of: values))
    #expect(estimate.value == values.reduce(0, +) / 8)
  }

  @Test("two prompts: the interval is the range of the three possible means")
  func twoPrompts() throws {
    // Means of two draws of {0, 1}: 0 with ¼, ½ with ½, 1 with ¼.
    let estimate = try #require(Estimate(table(["1": [0, 1]]), bootstrap))
    #expect(estimate.interval?.lower == 0 && estimate.interval?.upper == 1)
    let resampling = Resampling(prompts: 2, replicates: 1, bootstrap: bootstrap)
    let means = resampling.means(table(["1": [0, 1]])).compactMap { $0 }
    #expect(Set(means) == [0, 0.5, 1])
    #expect(abs(Double(means.count { $0 == 0.5 }) / 2000 - 0.5) < 0.04)
  }

  @Test("seeds that disagree widen the interval; equal ones leave it")
  func replicates() throws {
    // All prompts alike: only the seed moves the mean, to 0, ½ or 1.
    let seeds = try #require(
      Estimate(table(["1": [0, 0, 0], "2": [1, 1, 1]]), bootstrap)?.interval)
    #expect(seeds.lower == 0 && seeds.upper == 1)
    let equal = try #require(
      Estimate(table(["1": [1, 1, 1], "2": [1, 1, 1]]), bootstrap)?.interval)
    #expect(equal.lower == 1 && equal.upper == 1)
  }

  @Test("a difference is taken prompt by prompt: a constant lead has no spread")
  func paired() throws {
    let lead = try #require(
      Difference(
        table(["1": [0.5, 1, 0.25, 0.75]]), minus: table(["1": [0.25, 0.75, 0, 0.5]]), bootstrap))
    #expect(lead.value == 0.25 && lead.interval.lower == 0.25 && lead.interval.upper == 0.25)
    #expect(lead.better == 4 && lead.worse == 0)
    // No resample is at or below 0: 2 · (0 + 1) / (2000 + 1).
    #expect(lead.p == 2.0 / 2001)
  }

  @Test("an arm against itself: no difference, p = 1")
  func itself() throws {
    let arm = table(["1": [0, 1, 1], "2": [1, 0, 1]])
    let none = try #require(Difference(arm, minus: arm, bootstrap))
    #expect(none.value == 0 && none.p == 1 && none.better == 0 && none.worse == 0)
  }

  @Test("p by hand: the smaller tail, twice, with the sample counted in")
  func tails() {
    #expect(Resampling.pValue([1, 2, 3, -1]) == 2 * 2.0 / 5)
    #expect(Resampling.pValue([-1, -2, -3]) == 2 * 1.0 / 4)
    #expect(Resampling.pValue([0, 0]) == 1)
  }

  @Test("p is about uniform without a difference: 5 % of 200 experiments fall below 0.05")
  func falseAlarms() {
    var state: UInt64 = 9
    func coin() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 63 == 0 ? 0 : 1
    }
    let small = Bootstrap(resamples: 200, seed: 1)
    let alarms = (0..<200).count { _ in
      let (a, b) = ((0..<40).map { _ in coin() }, (0..<40).map { _ in coin() })
      return (Difference(table(["1": a]), minus: table(["1": b]), small)?.p ?? 1) < 0.05
    }
    // 10 expected; four standard errors (3.1) to either side.
    #expect(alarms <= 22, "\(alarms)")
  }

  @Test("arms meet in the prompts and seeds that both have; without a common seed in averages")
  func alignment() throws {
    let a = PromptTable(
      replicates: ["1", "2"], prompts: ["x", "y"], cells: [[0, 1], [1, 1]])
    let b = PromptTable(replicates: ["2"], prompts: ["y", "z"], cells: [[0, 1]])
    let shared = try #require(PromptTable.aligned([a, b]))
    #expect(shared[0].cells == [[1]] && shared[1].cells == [[0]])
    let other = PromptTable(replicates: ["7"], prompts: ["x", "y"], cells: [[0.25, 0.5]])
    let averaged = try #require(PromptTable.aligned([a, other]))
    #expect(averaged[0].cells == [[0.5, 1]] && averaged[1].cells == [[0.25, 0.5]])
    let foreign = PromptTable(replicates: ["1"], prompts: ["w"], cells: [[1]])
    #expect(PromptTable.aligned([a, foreign]) == nil)
    #expect(Difference(a, minus: foreign, bootstrap) == nil)
  }

  @Test("cells without a figure are left out of the means")
  func missingCells() throws {
    let ragged = PromptTable(
      replicates: ["1", "2"], prompts: ["x", "y"], cells: [[1, nil], [0, 0.5]])
    #expect(ragged.mean == 0.5)
    let built = PromptTable([
      (replicate: "1", figures: [("x", 1), ("y", nil), ("z", nil)]),
      (replicate: "2", figures: [("x", 0), ("y", 0.5), ("z", nil)]),
    ])
    #expect(built == ragged)
  }
}
