import Testing

@testable import SparReport

@Suite("Figures and scales") struct ChartTests {
  @Test(
    "as many digits as mean something",
    arguments: [
      (0.0, "0"), (24709.56, "24\u{202F}710"), (3.14159, "3.14"), (-0.5, "−0.500"),
      (0.04, "0.0400"), (-3.1e-7, "−3.1·10⁻⁷"), (2e6, "2·10⁶"), (123.4, "123"),
      (1000, "1\u{202F}000"),
    ])
  func digits(value: Double, text: String) { #expect(Figure.short(value) == text) }

  @Test("what rounds to zero has no sign")
  func zero() {
    #expect(Figure.points(-0.0001) == "0.0")
    #expect(Figure.points(0.031) == "+3.1")
    #expect(Figure.decimals(-0.04, 1) == "0.0")
    #expect(Figure.probability(0.0002) == "<\u{A0}0.001")
  }

  @Test("ticks are round, inside, and in order")
  func ticks() {
    for (low, high) in [(0.0, 1.0), (0.41, 0.47), (-3, 25_000), (1e-8, 3e-7)] {
      let scale = ChartScale([low, high], start: 0, end: 100)
      let ticks = scale.ticks(5)
      #expect((2...8).contains(ticks.count), "\(low) … \(high): \(ticks)")
      #expect(ticks.allSatisfy { scale.lower <= $0.value && $0.value <= scale.upper })
      #expect(Set(ticks.map(\.label)).count == ticks.count)
    }
    #expect(ChartScale([0, 1], start: 0, end: 100, isPadded: false).place(0.25) == 25)
    #expect(
      ChartScale([1, 100], start: 0, end: 100, isLogarithmic: true, isPadded: false).place(10)
        == 50)
  }

  @Test("equal values have a scale, too")
  func flat() {
    let scale = ChartScale([5, 5], start: 0, end: 10)
    #expect(scale.place(5) == 5 && !scale.ticks(4).isEmpty)
  }

  @Test("losses of different size share a logarithmic axis")
  func logarithmic() {
    func chart(_ second: Double) -> LineChart {
      LineChart(
        title: "loss", horizontal: "step",
        series: [
          .init(name: "a", style: 0, thick: [(1, 0.7), (2, 0.6)]),
          .init(name: "b", style: 1, thick: [(1, second), (2, second / 2)]),
        ])
    }
    #expect(chart(25_000).markup().contains("(logarithmic)"))
    #expect(!chart(1.5).markup().contains("(logarithmic)"))
  }

  @Test("long names lose their middle")
  func shortening() {
    #expect(IntervalChart.short("objective.name", 7) == "obj…ame")
    #expect(IntervalChart.short("sppo", 7) == "sppo")
  }

  @Test("a mean over runs is taken step by step")
  func means() {
    let mean = TrainingCurves.mean([[(1, 2), (2, 4)], [(2, 8)]])
    #expect(mean.map(\.x) == [1, 2] && mean.map(\.y) == [2, 6])
    let long = (0..<1000).map { (x: Double($0), y: 1.0) }
    #expect(TrainingCurves.thinned(long).count <= 240)
    #expect(TrainingCurves.smooth(long).allSatisfy { $0.y == 1 })
  }
}
