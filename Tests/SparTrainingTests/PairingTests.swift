import Foundation
import SparHost
import SparModel
import SparTraining
import Testing

@Suite("Pairings", .enabled(if: Golden.folder != nil, Golden.absent))
struct PairingTests {
  private static let host = PluginHost(search: PluginSearch(), threads: 1)

  private func objective(_ id: String, beta: String = "0.1") throws -> Objective {
    try Self.host.makeObjective(id, options: ["beta": beta])
  }

  /// Two prompts with three ranked answers each, references known, trained as `pairing` says.
  private func groups(_ pairing: Pairing, _ model: TrainableModel) throws -> [TrainingGroup] {
    let wins = [[0.75, 0.45, 0.3], [0.4, 0.35, 0.75]]
    let groups = randomGroups(6, seed: 3).chunks(of: 3).enumerated().map { index, three in
      var group = three[0]
      group.answers = three.map { $0.answers[0] }
      for i in 0..<3 {
        group.answers[i].winProb = wins[index][i]
        group.answers[i].meanScore = 4 * (wins[index][i] - 0.5)
        group.answers[i].label = [[1, 0, -1], [0, -1, 1]][index][i]
      }
      let own = wins[index]
      let odds: [Double] = (0..<3).flatMap { i in own.map { 5 * (own[i] - $0) } }
      group.score = odds
      group.pairwise = odds.map { 1 / (1 + exp(-$0)) }
      switch pairing {
      case .bestWorst: break
      case .allAnswers: group.terms = .answers
      case .allPairs: group.terms = .pairs(Self.pairs(wins[index]))
      }
      return group
    }
    var ready = try ReferenceLogps.compute(groups, model: model, tokensPerPass: 64).applied(
      to: groups)
    // A policy that has moved: log-ratios of 1, ½, 0 and of 0, -2, -½.
    ready[0].answers[0].refLogp? -= 1
    ready[0].answers[1].refLogp? -= 0.5
    ready[1].answers[1].refLogp? += 2
    ready[1].answers[2].refLogp? += 0.5
    return ready
  }

  private static func pairs(_ wins: [Double]) -> [TrainingPair] {
    (0..<3).flatMap { i -> [TrainingPair] in
      let beaten = (0..<3).filter { wins[i] > wins[$0] }
      return beaten.map { TrainingPair(chosen: i, rejected: $0) }
    }
  }

  private func step(
    _ groups: [TrainingGroup], _ model: TrainableModel, _ objective: any TrainingObjective
  ) throws -> (loss: Double, gradients: [[Float]]) {
    let optimizer = Optimizer(
      model.architecture.parameters, options: TrainingOptions(), backend: model.backend)
    optimizer.zeroGradients()
    let outcome = try StepGradient(model: model, objective: objective, tokensPerPass: 1024)
      .accumulate(groups)
    return (outcome.loss / Double(outcome.pairs), gradients(model))
  }

  @Test(
    "gradients equal finite differences along themselves",
    arguments: ["sppo", "sppo-single", "sppo-hard", "gpo", "dpo"], Pairing.allCases)
  func finiteDifferences(id: String, pairing: Pairing) throws {
    let objective = try objective(id)
    if pairing == .allAnswers, !objective.needs.contains(.answers) { return }
    let model = try Golden.tinyModel()
    let groups = try groups(pairing, model)
    let found = try step(groups, model, objective)
    let length = norm(found.gradients.joined())
    try #require(length > 0)
    func loss(_ distance: Double) throws -> Double {
      let moved = try Golden.tinyModel()
      for (parameter, gradient) in zip(moved.architecture.parameters, found.gradients) {
        let value = parameter.value
        for i in 0..<value.count { value.floats[i] += Float(distance / length) * gradient[i] }
      }
      return try step(groups, moved, objective).loss
    }
    let slope = (try loss(0.01) - loss(-0.01)) / 0.02
    #expect(abs(slope - length) <= 0.01 * length, "\(slope) against \(length)")
  }

  @Test(
    "all pairs are what a step on each pair alone would give", arguments: ["sppo-single", "dpo"])
  func pairByPair(id: String) throws {
    let model = try Golden.tinyModel()
    let objective = try objective(id)
    let together = try groups(.allPairs, model)
    let alone = together.flatMap { group -> [TrainingGroup] in
      guard case .pairs(let pairs) = group.terms else { return [] }
      return pairs.map { pair in
        let rows = [pair.chosen, pair.rejected]
        var two = TrainingGroup(
          promptIDs: group.promptIDs, answers: rows.map { group.answers[$0] },
          pairwise: rows.flatMap { i in rows.map { group.pairwise[3 * i + $0] } },
          score: rows.flatMap { i in rows.map { group.score[3 * i + $0] } })
        two.answers[0].label = 1
        two.answers[1].label = -1
        return two
      }
    }
    try #require(alone.count == 6)
    let (a, b) = (try step(together, model, objective), try step(alone, model, objective))
    #expect(abs(a.loss - b.loss) <= 1e-5 * abs(b.loss))
    for (x, y) in zip(a.gradients, b.gradients) { #expect(distance(x, y) <= 1e-4 * norm(y)) }
  }

  @Test("targets of single answers: all pairs and all answers are the same mean")
  func pairsEqualAnswers() throws {
    for id in ["sppo", "gpo"] {
      let model = try Golden.tinyModel()
      let objective = try objective(id)
      let pairs = try step(groups(.allPairs, model), model, objective)
      let answers = try step(groups(.allAnswers, model), model, objective)
      #expect(abs(pairs.loss - answers.loss) <= 1e-9 * answers.loss)
      for (x, y) in zip(pairs.gradients, answers.gradients) {
        #expect(distance(x, y) <= 1e-5 * norm(y))
      }
    }
  }

  @Test("of two answers, each by itself is the pair", arguments: ["sppo", "gpo"])
  func twoAnswers(id: String) throws {
    let model = try Golden.tinyModel()
    let objective = try objective(id)
    var two = try ReferenceLogps.compute(
      randomGroups(3), model: model, tokensPerPass: 64
    ).applied(to: randomGroups(3))
    let pair = try step(two, model, objective)
    for index in two.indices { two[index].terms = .answers }
    let answers = try step(two, model, objective)
    #expect(abs(pair.loss - answers.loss) <= 1e-12 * abs(pair.loss))
    for (x, y) in zip(answers.gradients, pair.gradients) {
      #expect(distance(x, y) <= 1e-6 * norm(y))
    }
  }

  @Test("an objective that compares answers is not trained on single ones")
  func refusal() throws {
    let model = try Golden.tinyModel()
    let error = try #require(
      #expect(throws: TrainingError.self) {
        try Trainer(
          model, objective: objective("dpo"), objectiveIdentity: ["objective": "dpo"],
          groups: groups(.allAnswers, model), output: temporaryFolder())
      })
    #expect(error == .needsPairs("dpo"))
    #expect("\(error)".contains("all-pairs"))
  }

  @Test("a pair that is none is refused")
  func badPair() throws {
    let model = try Golden.tinyModel()
    for pairs in [[], [TrainingPair(chosen: 0, rejected: 3)]] {
      var bad = try groups(.allPairs, model)
      bad[1].terms = .pairs(pairs)
      let error = try #require(
        #expect(throws: TrainingError.self) {
          try Trainer(model, objective: objective("dpo"), groups: bad, output: temporaryFolder())
        })
      guard case .group(index: 1, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test("the log tells of every pair, and of the entropy of the answers")
  func log() throws {
    let model = try Golden.tinyModel()
    var options = TrainingOptions()
    options.pairing = .allPairs
    options.maxSteps = 1
    options.learningRate = 0
    let groups = try groups(.allPairs, model)
    let result = try Trainer(
      model, objective: objective("dpo"), groups: groups, options: options,
      output: temporaryFolder()
    ).run()
    let values = try #require(result.history.first?.values)
    // Log-ratios are 1, ½, 0 and 0, -2, -½, so one pair of six is the wrong way round.
    #expect(abs(try #require(values["rewards/accuracies"]) - 5.0 / 6) < 1e-12)
    let entropy = try #require(values["entropy"])
    #expect(entropy > 0 && entropy < 5.08)
  }
}

extension Array {
  fileprivate func chunks(of size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
