import Foundation
import SparDiagnostics
import SparEvaluation
import SparStore
import Testing

@Suite("Calibration against verdicts") struct VerdictCalibrationTests {
  private let folder = NSTemporaryDirectory() + "spar-verdicts-\(UUID().uuidString)"

  /// A table of three answers a prompt, from P of the pairs (0, 1), (0, 2), (1, 2).
  private func table(
    _ name: String, _ prompts: [(id: String, pairs: [Double])], failed: [UInt8] = []
  ) throws -> RankedTable {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let n = prompts.count
    let p = prompts.flatMap { _, p in
      [0.5, p[0], p[1], 1 - p[0], 0.5, p[2], 1 - p[1], 1 - p[2], 0.5]
    }
    var table = PreferenceTable(
      K: 3, promptIndex: Array(0..<n), promptID: prompts.map(\.id), raw: p.map { $0 - 0.5 },
      winProbability: p, logOdds: p.map { log($0) - log1p(-$0) },
      rowMean: [Double](repeating: 0.5, count: 3 * n),
      meanScore: [Double](repeating: 0, count: 3 * n), score: [Double](repeating: 0, count: 3 * n),
      chosen: [Int](repeating: -1, count: n), rejected: [Int](repeating: -1, count: n),
      status: [PreferenceStatus](repeating: .tie, count: n))
    table.failed = failed
    try PreferencesFile.write(
      to: folder + "/" + name, table, attributes: ["ranker": .string(name)])
    return try RankedTable.read(folder + "/" + name)
  }

  @Test("P > ½ of the other is the label; its halves and our failures are left out")
  func verdicts() throws {
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
    let ours = try table(
      "ours.h5",
      [("a", [0.8, 0.6, 0.3]), ("b", [0.9, 0.5, 0.5]), ("only ours", [0.9, 0.9, 0.9])],
      failed: [UInt8](repeating: 0, count: 9) + [0, 0, 1, 0, 0, 0, 1, 0, 0]
        + [UInt8](repeating: 0, count: 9))
    let theirs = try table("theirs.h5", [("b", [0.1, 0.9, 0.5]), ("a", [0.51, 0.5, 0.99])])
    let found = VerdictCalibration(
      ours, verdictsOf: theirs, bootstrap: Bootstrap(resamples: 100, seed: 1))
    #expect(found.prompts == 2 && found.withoutVerdict == 2)
    #expect(found.ranker == "theirs.h5" && found.verdictsOf == folder + "/theirs.h5")
    let calibration = try #require(found.calibration)
    // (0, 1) and (1, 2) of a with 0.8 right and 0.3 wrong; (0, 1) of b with 0.9 wrong.
    #expect(calibration.comparisons == 3 && calibration.failed == 1)
    #expect(abs(calibration.brier.value - (0.04 + 0.49 + 0.81) / 3) < 1e-12)
    #expect(
      found.lines[0].hasSuffix("theirs.h5: 3 pairs of 2 prompts, 2 without a verdict left out"))
    // Against itself every verdict is right.
    let own = VerdictCalibration(
      theirs, verdictsOf: theirs, bootstrap: Bootstrap(resamples: 100, seed: 1))
    #expect(own.calibration?.temperature?.bound == .zero)
    let none = VerdictCalibration(
      ours, verdictsOf: try table("none.h5", [("a", [0.5, 0.5, 0.5])]),
      bootstrap: Bootstrap(resamples: 100, seed: 1))
    #expect(none.calibration == nil && none.lines.last?.hasSuffix("no pair has one") == true)
  }
}
