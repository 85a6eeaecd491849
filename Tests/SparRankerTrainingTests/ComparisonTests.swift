import Foundation
import Testing

@testable import SparRankerTraining

@Suite("Comparison of rankers") struct RankerComparisonTests {
  private func options(_ head: RankerHead) -> RankerTrainingOptions {
    var options = RankerTrainingOptions()
    options.head = head
    options.loss.tau = head.kind == .gpm ? 0.1 : 1
    options.training.epochs = 100
    options.training.learningRate = 0.02
    options.training.perDeviceBatch = 1
    return options
  }

  @Test("circles: every answer wins once and loses once, and other seeds draw others")
  func circles() {
    for length in [3, 4, 5, CyclicPreferences.lengths.upperBound] {
      let preferences = CyclicPreferences(length: length, circles: 2, seed: 7)
      let rows = preferences.comparisons
      #expect(rows.count == 2 * length)
      for prompt in Set(rows.map(\.prompt)) {
        let circle = rows.filter { $0.prompt == prompt }
        #expect(Set(circle.map(\.chosen)) == Set(circle.map(\.rejected)))
        #expect(Set(circle.map(\.chosen)).count == length)
        #expect(circle.allSatisfy { prompt.contains($0.chosen) })
      }
      #expect(CyclicPreferences(length: length, circles: 2, seed: 8).comparisons != rows)
    }
  }

  @Test(
    "a reward stays within its bound, two dimensions are perfect; stopped, it goes on to the same")
  func run() throws {
    let model = try tinyLanguageModel(hidden: 64)
    let comparison = RankerComparison(
      arms: [
        .init(name: "reward", options: options(RankerHead(kind: .bradleyTerry))),
        .init(
          name: "gpm", options: options(RankerHead(kind: .gpm, dimension: 2, normalises: false))),
      ], lengths: [3, 4], circles: 1, seeds: [1, 2])
    let whole = TemporaryFolder()
    let cells = try comparison.run(model, folder: whole.path)
    #expect(cells.count == 8 && cells.map(\.steps).allSatisfy { $0 > 0 })
    for cell in cells {
      let bound = CyclicPreferences(length: cell.length, circles: 1, seed: 1).bradleyTerryBound
      if cell.arm == "gpm" {
        #expect(cell.accuracy == 1)
      } else {
        #expect(cell.accuracy <= bound + 1e-12)
      }
    }
    let parts = TemporaryFolder()
    var trainings = 0
    #expect(throws: RankerTrainingError.self) {
      try comparison.run(
        model, folder: parts.path, progress: { _ in trainings += 1 },
        isCancelled: { trainings > 3 })
    }
    trainings = 0
    #expect(
      try comparison.run(model, folder: parts.path, progress: { _ in trainings += 1 }) == cells)
    // Five were left; the last report says that it is done.
    #expect(trainings == 6)
    #expect(!FileManager.default.fileExists(atPath: parts.path + "/training"))
  }
}
