import SparDiagnostics
import Testing

/// P from the log-odds of a table, for tests.
private func tournament(_ k: Int, _ beats: (Int, Int) -> Double) -> Tournament {
  Tournament(
    k: k,
    probability: (0..<(k * k)).map { cell in
      cell / k == cell % k ? 0.5 : beats(cell / k, cell % k)
    })
}

/// Small deterministic numbers in [0, 1).
private struct Numbers {
  var state: UInt64
  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) / Double(1 << 53)
  }
}

private func random(_ k: Int, seed: UInt64) -> Tournament {
  var numbers = Numbers(state: seed)
  var p = [Double](repeating: 0.5, count: k * k)
  for i in 0..<k {
    for j in (i + 1)..<max(k, i + 1) {
      p[i * k + j] = numbers.next()
      p[j * k + i] = 1 - p[i * k + j]
    }
  }
  return Tournament(k: k, probability: p)
}

@Suite("Tournament") struct TournamentTests {
  /// Who is next on the circle wins.
  let rockPaperScissors = tournament(3) { i, j in (i + 1) % 3 == j ? 0.9 : 0.1 }
  let ladder = tournament(4) { i, j in i < j ? 0.7 : 0.3 }

  @Test("a ladder has a winner by every rule and no circle")
  func ladderWins() {
    #expect(ladder.condorcetWinner == 0)
    #expect(ladder.copeland == [3, 2, 1, 0])
    #expect(ladder.cycles.isEmpty)
    #expect(ladder.borda[0] > ladder.borda[1])
    let lottery = MaximalLottery(ladder)
    #expect(abs(lottery.weights[0] - 1) < 1e-9)
    #expect(lottery.exploitability < 1e-9)
  }

  @Test("a circle of three is found once, and all of it is played equally")
  func circle() {
    #expect(rockPaperScissors.condorcetWinner == nil)
    #expect(rockPaperScissors.cycles.map(\.answers) == [[0, 1, 2]])
    #expect(abs(rockPaperScissors.cycles[0].strength - 0.4) < 1e-12)
    let lottery = MaximalLottery(rockPaperScissors)
    for weight in lottery.weights { #expect(abs(weight - 1 / 3.0) < 1e-9) }
  }

  @Test("the other sense of the circle is named by its own order")
  func otherSense() {
    let reverse = tournament(3) { i, j in (i + 1) % 3 == j ? 0.2 : 0.8 }
    #expect(reverse.cycles.map(\.answers) == [[0, 2, 1]])
  }

  @Test("no answer beats the maximal lottery", arguments: [1, 2, 3, 5, 8, 16, 64])
  func equilibrium(k: Int) {
    for seed in 1...8 {
      let lottery = MaximalLottery(random(k, seed: UInt64(seed * 977 + k)))
      #expect(abs(lottery.weights.reduce(0, +) - 1) < 1e-9)
      #expect(lottery.weights.allSatisfy { $0 >= 0 })
      #expect(lottery.exploitability < 1e-8, "seed \(seed)")
    }
  }

  @Test("permuting the answers permutes the figures")
  func permutation() {
    let match = random(6, seed: 5)
    let order = [3, 0, 5, 1, 4, 2]
    let turned = Tournament(
      k: 6, probability: (0..<36).map { match.probability[order[$0 / 6] * 6 + order[$0 % 6]] })
    #expect(turned.copeland == order.map { match.copeland[$0] })
    #expect(turned.cycles.count == match.cycles.count)
    let (a, b) = (MaximalLottery(match).weights, MaximalLottery(turned).weights)
    for (place, original) in order.enumerated() { #expect(abs(b[place] - a[original]) < 1e-8) }
  }

  @Test("no answers, no lottery")
  func empty() {
    #expect(MaximalLottery(Tournament(k: 0, probability: [])).weights.isEmpty)
  }
}

@Suite("Table diagnostics") struct TableDiagnosticsTests {
  func row(
    _ id: String, _ match: Tournament, raw: [Double]? = nil, lengths: [Int]? = nil,
    texts: [String]? = nil
  ) -> RankedPrompt {
    let odds = match.probability.map { $0 - 0.5 }
    return RankedPrompt(
      id: id, k: match.k, probability: match.probability, raw: raw ?? odds, scores: match.borda,
      answers: lengths.map { lengths in
        lengths.enumerated().map {
          RankedAnswer(text: texts?[$0.offset] ?? "a", tokens: $0.element, isEnded: $0.element < 9)
        }
      })
  }

  @Test("circles are counted and shown with their prompt")
  func cycles() {
    let circle = tournament(3) { i, j in (i + 1) % 3 == j ? 0.9 : 0.1 }
    let ladder = tournament(3) { i, j in i < j ? 0.7 : 0.3 }
    let found = TableDiagnostics([row("a", ladder), row("b", circle)])
    #expect(found.triples == 2)
    #expect(found.intransitiveTriples == 1)
    #expect(found.cyclicPrompts == 1)
    #expect(found.cycles.map(\.prompt) == ["b"])
    #expect(found.condorcetWinners == 1)
    #expect(found.chosenExploitability.map { abs($0 - 0.2) < 1e-12 } == true)
  }

  @Test("an antisymmetric table has no order to disagree about; a table that prefers the first has")
  func order() {
    let ladder = tournament(2) { i, j in i < j ? 0.7 : 0.3 }
    #expect(TableDiagnostics([row("a", ladder)]).orderDisagreement == nil)
    let first = TableDiagnostics([row("a", ladder, raw: [0, 2, 1, 0])])
    #expect(first.orderDisagreement == 1)
    #expect(first.firstPositionBias == 3)
    let second = TableDiagnostics([row("a", ladder, raw: [0, 1, -2, 0])])
    #expect(second.orderDisagreement == 0)
  }

  @Test("longer answers that win are a bias, and ends and refusals are counted")
  func length() {
    let ladder = tournament(3) { i, j in i < j ? 0.7 : 0.3 }
    let found = TableDiagnostics([
      row(
        "a", ladder, lengths: [9, 5, 1],
        texts: ["I\u{2019}m sorry, but I can\u{2019}t do that.", "Yes.", "No."])
    ])
    #expect(found.longerWins == 1)
    #expect(found.lengthCorrelation.map { $0 > 0.99 } == true)
    #expect(found.truncatedAnswers == 1 / 3.0)
    #expect(found.refusals == 1 / 3.0)
    #expect(TableDiagnostics([row("a", ladder, lengths: [1, 5, 9])]).longerWins == 0)
  }

  @Test("a ranker agrees with itself, and not with its opposite")
  func agreement() {
    let rows = (0..<10).map { row("p\($0)", random(5, seed: UInt64($0) + 1)) }
    let same = RankerAgreement(rows, rows)
    #expect(same.prompts == 10)
    #expect(same.pairAgreement == 1)
    #expect(same.sameBest == 10 && same.sameWorst == 10)
    let opposite = rows.map {
      row(
        $0.id, Tournament(k: 5, probability: $0.tournament.probability.map { 1 - $0 }))
    }
    #expect(RankerAgreement(rows, opposite).pairAgreement == 0)
    #expect(RankerAgreement(rows, []).pairAgreement == nil)
  }
}
