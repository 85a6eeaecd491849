import Foundation
import Testing

@testable import SparHost

private struct GoldenPair: Decodable {
  var loss: String
  var beta, labelSmoothing: Double
  var nw, nl: Int64
  var logpW, logpL, refW, refL, pw, pl, p, sw, sl: Double
  var value, dlogpW, dlogpL: Double

  /// Rejected first, so that rows and labels cannot be confused.
  var batch: ObjectiveBatch {
    ObjectiveBatch(
      begin: [0, 2], logp: [logpL, logpW], refLogp: [refL, refW], winProb: [pl, pw],
      meanScore: [sl, sw], pairwise: [0.5, 1 - p, p, 0.5], score: [0, 0, 0, 0],
      nTokens: [nl, nw], label: [-1, 1], stepPairs: 1, stepAnswers: 2, stepTokens: nl + nw)
  }
}

private func isClose(_ a: Double, _ b: Double) -> Bool {
  abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-12)
}

@Suite("Objectives") struct ObjectiveTests {
  @Test(
    "agree with PyTorch on golden pairs", .enabled(if: goldenFolder != nil, "no shared/golden"),
    arguments: [
      ("dpo", "dpo", [:]), ("cdpo", "dpo", ["label_smoothing": "0.1"]), ("sppo", "sppo", [:]),
      ("sppo_single", "sppo_single", [:]), ("sppo_hard", "sppo-hard", [:]), ("gpo", "gpo", [:]),
      ("gpo_length_normalised", "gpo", ["length-normalisation": "1"]),
    ])
  func golden(name: String, id: String, options: [String: String]) throws {
    let file = try #require(goldenFolder) + "/losses/pairs.json"
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let pairs = try decoder.decode(
      [GoldenPair].self, from: Data(contentsOf: URL(filePath: file))
    ).filter { $0.loss == name }
    try #require(pairs.count == 36)
    let host = try builtHost()
    for pair in pairs {
      let objective = try host.makeObjective(
        id, options: options.merging(["beta": "\(pair.beta)"]) { $1 })
      let result = try objective.evaluate(pair.batch)
      #expect(isClose(result.loss[0] + result.loss[1], pair.value), "\(result) \(pair)")
      #expect(isClose(result.dlogp[1], pair.dlogpW), "\(result) \(pair)")
      #expect(isClose(result.dlogp[0], pair.dlogpL), "\(result) \(pair)")
    }
  }

  @Test(
    "have gradients that equal finite differences",
    arguments: [
      ("dpo", ["label_smoothing": "0.2"]), ("sppo", ["beta": "0.1"]),
      ("sppo-single", ["beta": "0.1"]), ("sppo-hard", ["beta": "0.1"]),
      ("gpo", ["beta": "0.1", "target_clamp": "4", "length_normalisation": "0.5"]),
    ])
  func finiteDifferences(id: String, options: [String: String]) throws {
    let objective = try builtHost().makeObjective(id, options: options)
    let batch = twoGroups
    let result = try objective.evaluate(batch)
    for row in batch.logp.indices {
      let step = 1e-4
      func total(_ delta: Double) throws -> Double {
        var moved = batch
        moved.logp[row] += delta
        return try objective.evaluate(moved).loss.reduce(0, +)
      }
      let slope = (try total(step) - total(-step)) / (2 * step)
      #expect(abs(slope - result.dlogp[row]) <= 1e-6 * max(1, abs(slope)), "row \(row)")
    }
  }

  @Test("sum over the pairs of each group, and leave unlabelled rows alone")
  func pairsOfGroups() throws {
    let objective = try builtHost().makeObjective("sppo-single", options: ["beta": "0.5"])
    let result = try objective.evaluate(twoGroups)
    // Group 0: rows 0 (+) and 2 (-), P 0.9: targets ±0.8.  r = 0.5 and -0.7.
    #expect(isClose(result.loss[0], 0.5 * (0.5 - 0.8) * (0.5 - 0.8)))
    #expect(isClose(result.loss[2], 0.5 * (-0.7 + 0.8) * (-0.7 + 0.8)))
    #expect(result.loss[1] == 0 && result.dlogp[1] == 0)
    // Group 1: rows 3 (-) and 4 (+), P 0.3: targets ∓0.4.  r = 1 and -1.
    #expect(isClose(result.loss[4], 0.5 * (-1 + 0.4) * (-1 + 0.4)))
    #expect(isClose(result.dlogp[3], 1 - 0.4))
  }

  @Test("train on single answers where no row has a label", arguments: ["sppo", "gpo"])
  func singleAnswers(id: String) throws {
    let objective = try builtHost().makeObjective(id, options: ["beta": "0.1"])
    var batch = twoGroups
    batch.label = .init(repeating: 0, count: 5)
    let result = try objective.evaluate(batch)
    // Row 1 of three: r = 0; win rate 1/2 and mean score 0 ask for 0.  Row 4 of two: r = -1.
    #expect(result.loss[1] == 0)
    let target = id == "sppo" ? 2.0 : 5
    #expect(isClose(result.loss[4], 0.5 * (-1 - target) * (-1 - target)))
    for row in batch.logp.indices {
      func total(_ delta: Double) throws -> Double {
        var moved = batch
        moved.logp[row] += delta
        return try objective.evaluate(moved).loss.reduce(0, +)
      }
      let slope = (try total(1e-4) - total(-1e-4)) / 2e-4
      #expect(abs(slope - result.dlogp[row]) <= 1e-6 * max(1, abs(slope)), "row \(row)")
    }
    // Rewards are of pairs; the objective's own metrics are means over the groups.
    #expect(result.metricWeight[0] == 0)
    #expect(abs(result.metricWeight[5] - 2) < 1e-12)
  }

  @Test("say their formula and paper")
  func mathematics() throws {
    for component in try builtHost().components(.objective) {
      #expect(component.formula?.hasPrefix("L = ") == true, "\(component.id)")
      #expect(component.paper?.contains("arXiv:") == true, "\(component.id)")
      #expect(!component.doc.contains("\n"))
    }
  }

  @Test("report TRL's rewards and their own metrics")
  func metrics() throws {
    let objective = try builtHost().makeObjective(
      "gpo", options: ["beta": "0.1", "target_clamp": "4"])
    let result = try objective.evaluate(twoGroups)
    let mean = Dictionary(
      uniqueKeysWithValues: zip(
        objective.metricNames, zip(result.metricSum, result.metricWeight).map { $0 / $1 }))
    let chosen = try #require(mean["rewards/chosen"])
    let margin = try #require(mean["rewards/margins"])
    #expect(abs(chosen + 0.025) < 1e-12)
    #expect(abs(margin + 0.04) < 1e-12)
    #expect(mean["rewards/accuracies"] == 0.5)
    #expect(mean["clamp_rate"] == 0.5)
  }

  @Test("stay finite far from the data", arguments: [-1e4, 1e4])
  func extremes(gap: Double) throws {
    let host = try builtHost()
    for component in host.components(.objective) {
      let objective = try host.makeObjective(component.id, options: [:])
      var batch = twoGroups
      batch.logp[0] += gap
      #expect(try objective.evaluate(batch).loss.allSatisfy { $0.isFinite && $0 >= 0 })
    }
  }

  @Test("give the same bits on eight threads at once")
  func concurrent() async throws {
    let objective = try builtHost().makeObjective("dpo", options: [:])
    let expected = try objective.evaluate(twoGroups)
    try await withThrowingTaskGroup(of: ObjectiveResult.self) { group in
      for _ in 0..<8 { group.addTask { try objective.evaluate(twoGroups) } }
      for try await result in group { #expect(result == expected) }
    }
  }

  @Test("ask for what they need, and say what is missing")
  func missingInput() throws {
    let host = try builtHost()
    #expect(try host.component(.objective, "gpo").needs == [.reference, .score, .answers])
    let objective = try host.makeObjective("sppo", options: [:])
    #expect(objective.needs == [.reference, .winProb, .answers])
    var batch = twoGroups
    batch.winProb = nil
    let error = #expect(throws: PluginError.self) { try objective.evaluate(batch) }
    #expect("\(error as Any)".contains("win_prob"))
  }

  @Test("that return nonsense are named with the row")
  func nonsense() throws {
    let folder = try Folder()
    try folder.library(
      "libspar-nan.so", objectiveSource(id: "nan", plugin: "t.nan", scale: "(0.0 / b->logp[1])"))
    let host = PluginHost(search: search([folder.path]), threads: 1)
    let objective = try host.makeObjective("nan", options: [:])
    let error = #expect(throws: PluginError.self) {
      try objective.evaluate(plainBatch(logp: [-1, 0, -2]))
    }
    let text = "\(try #require(error))"
    #expect(text.contains("loss[0]") && text.contains("nan") && text.contains("libspar-nan.so"))
  }
}

/// Groups of 3 and 2 rows; rows 0 and 4 are chosen, 2 and 3 rejected.
private let twoGroups = ObjectiveBatch(
  begin: [0, 3, 5], logp: [-9.5, -11, -10.7, -19, -21], refLogp: [-10, -11, -10, -20, -20],
  winProb: [0.8, 0.5, 0.2, 0.3, 0.7], meanScore: [0.9, 0, -0.3, -0.2, 0.5],
  pairwise: [0.5, 0.7, 0.9, 0.3, 0.5, 0.6, 0.1, 0.4, 0.5, 0.5, 0.7, 0.3, 0.5],
  score: .init(repeating: 0, count: 13), nTokens: [4, 5, 6, 7, 8], label: [1, 0, -1, -1, 1],
  stepPairs: 2, stepAnswers: 5, stepTokens: 30)
