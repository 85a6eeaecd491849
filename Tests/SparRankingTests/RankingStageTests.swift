import Foundation
import RankerFixtures
import SparHost
import SparPreference
import SparRanking
import SparStore
import Testing

private let options = RankingOptions(batchSize: 3)

private func preferences(_ path: String) throws -> PreferenceTable {
  try PreferencesFile.read(path).table
}

@Suite("Rank stage") struct RankingStageTests {
  @Test("the file holds M, P, W, their means and the pairs") func endToEnd() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 8)
    let output = folder.file("preferences.h5")
    var reports: [SparHost.Progress] = []
    let summary = try RankingStage(noisyRanker(), options).run(
      candidates: candidates, output: output, progress: { reports.append($0) })
    let (table, attributes) = try PreferencesFile.read(output)
    #expect(table.promptIndex == Array(10..<18))
    #expect(attributes["ranker"] == .string("noisy"))
    #expect(attributes["probability_rule"] == .string("mean-of-orders"))
    #expect(attributes["candidates_digest"] == .string(try fileDigest(candidates)))
    #expect(attributes["tokenizer_digest"] == .string("t"))
    for row in 0..<8 {
      let raw = Array(table.raw[(row * 16)..<(row * 16 + 16)])
      let wins = try WinTable(raw: raw, k: 4, rule: .meanOfOrders)
      #expect(Array(table.winProbability[(row * 16)..<(row * 16 + 16)]) == wins.probability)
      #expect(Array(table.score[(row * 4)..<(row * 4 + 4)]) == wins.scores)
      #expect(Array(table.rowMean[(row * 4)..<(row * 4 + 4)]) == wins.winRates)
      #expect(Array(table.meanScore[(row * 4)..<(row * 4 + 4)]) == wins.meanScores)
      #expect(table.status[row] == .kept)
      #expect(wins.scores[table.chosen[row]] == wins.scores.max())
      #expect(wins.scores[table.rejected[row]] == wins.scores.min())
    }
    #expect(summary.prompts == 8 && summary.pairs == 8 && summary.answers == 32)
    #expect(reports.map(\.done) == [0, 3, 6, 8])
    let last = SparHost.Progress(stage: "rank", done: 8, total: 8, unit: "prompts")
    for report in reports {
      #expect(report.stage == last.stage && report.total == last.total)
      #expect(report.unit == last.unit)
    }
    #expect(!FileManager.default.fileExists(atPath: output + ".journal"))
  }

  @Test("batches of one or of all give the same file") func batchInvariance() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 7)
    for size in [1, 100] {
      try RankingStage(noisyRanker(), RankingOptions(batchSize: size)).run(
        candidates: candidates, output: folder.file("\(size).h5"))
    }
    #expect(try preferences(folder.file("1.h5")) == preferences(folder.file("100.h5")))
  }

  @Test("a ranker that gives NaN is named, with the prompt, and leaves no file") func notANumber()
    throws
  {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 5)
    let broken = AnswerRanker(
      identity: .init(id: "broken", version: "1"), givesRawScores: true
    ) { queries in
      queries.map { query in
        [Double](repeating: query.messages[0].content == "question 4" ? .nan : 0, count: 16)
      }
    }
    let output = folder.file("p.h5")
    let error = #expect(throws: RankingError.self) {
      try RankingStage(broken, options).run(candidates: candidates, output: output)
    }
    #expect("\(try #require(error))".hasPrefix("ranker broken, prompt id4: the ranker gave raw"))
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test("a ranker that answers too few queries is refused") func tooFew() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 5)
    let lazy = AnswerRanker(
      identity: .init(id: "lazy", version: "1"), givesRawScores: true, compare: { _ in [] })
    #expect(throws: RankingError.results(ranker: "lazy", found: 0, queries: 3)) {
      try RankingStage(lazy, options).run(candidates: candidates, output: folder.file("p.h5"))
    }
  }

  @Test("probabilities of the ranker's own are stored as they are") func native() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 3)
    let sure = AnswerRanker(identity: .init(id: "sure", version: "1"), givesRawScores: false) {
      $0.map { _ in
        (0..<16).map { $0 / 4 == $0 % 4 ? 0.5 : $0 / 4 < $0 % 4 ? 1 : 0 }
      }
    }
    try RankingStage(sure, options).run(candidates: candidates, output: folder.file("p.h5"))
    let table = try preferences(folder.file("p.h5"))
    #expect(table.winProbability[1] == 1 && table.winProbability[4] == 0)
    #expect(table.logOdds.allSatisfy { $0.isFinite })
    #expect(table.raw == table.logOdds)
    #expect(table.chosen == [0, 0, 0] && table.rejected == [3, 3, 3])
  }

  @Test("the ids a ranker gets do not hold the end token") func withoutEnd() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 2)
    let inner = noisyRanker()
    let watching = AnswerRanker(identity: inner.identity, givesRawScores: true) { queries in
      for query in queries {
        #expect(query.tokenizerDigest == "t" && query.promptIDs == [1, 2])
        for (ids, text) in zip(query.responseIDs ?? [], query.responses) {
          #expect(ids.map { "w\($0)" }.joined(separator: " ") == text)
        }
      }
      return try inner.compare(queries).map(\.values)
    }
    try RankingStage(watching, options).run(candidates: candidates, output: folder.file("p.h5"))
  }

  @Test("the summary shows a ranker that pays for length") func gamed() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 20)
    let longer = AnswerRanker(identity: .init(id: "longer", version: "1"), givesRawScores: true) {
      $0.map { query in
        let lengths = (query.responseIDs ?? []).map { Double($0.count) }
        return lengths.flatMap { a in lengths.map { a - $0 } }
      }
    }
    let summary = try RankingStage(longer, options).run(
      candidates: candidates, output: folder.file("p.h5"))
    #expect(abs(try #require(summary.scoreLengthCorrelation) - 1) < 1e-12)
    #expect(try #require(summary.chosenLength) > #require(summary.rejectedLength) + 2)
    #expect(summary.intransitiveRate == 0)
    #expect(try #require(summary.chosenBeatsRejected) > 0.5)
    #expect(summary.lines.contains("correlation of score with length 1.00"))

    let fair = try RankingStage(noisyRanker(), options).run(
      candidates: candidates, output: folder.file("q.h5"))
    #expect(abs(try #require(fair.scoreLengthCorrelation)) < 0.5)
    #expect(try #require(fair.intransitiveRate) > 0)
  }
}

@Suite("Rank stage, resumed") struct RankingResumeTests {
  /// Ranks the first two batches, then is stopped.
  func stop(_ candidates: String, _ output: String) throws {
    var polls = 0
    let error = #expect(throws: RankingError.self) {
      try RankingStage(noisyRanker(), options).run(
        candidates: candidates, output: output,
        cancelled: {
          polls += 1
          return polls > 2
        })
    }
    #expect(
      error == .cancelled(stage: "rank", done: 6, of: 11, journal: output + ".journal"))
  }

  @Test("stopped and resumed is as if never stopped, to the bit") func resume() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 11)
    let (whole, parts) = (folder.file("whole.h5"), folder.file("parts.h5"))
    let first = try RankingStage(noisyRanker(), options).run(candidates: candidates, output: whole)
    try stop(candidates, parts)
    #expect(!FileManager.default.fileExists(atPath: parts))
    var calls = 0
    let second = try RankingStage(noisyRanker { calls += 1 }, options).run(
      candidates: candidates, output: parts)
    #expect(calls == 2)
    #expect(first == second)
    let (a, b) = (try preferences(whole), try preferences(parts))
    #expect(a == b)
    #expect(a.raw.map(\.bitPattern) == b.raw.map(\.bitPattern))
    #expect(a.winProbability.map(\.bitPattern) == b.winProbability.map(\.bitPattern))
  }

  @Test(
    "a half-written last line, and any damaged one, is ranked again",
    arguments: ["cut", "garbage", "wrong size"])
  func brokenJournal(damage: String) throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 11)
    let (whole, parts) = (folder.file("whole.h5"), folder.file("parts.h5"))
    try RankingStage(noisyRanker(), options).run(candidates: candidates, output: whole)
    try stop(candidates, parts)
    let journal = URL(fileURLWithPath: parts + ".journal")
    var text = String(decoding: try Data(contentsOf: journal), as: UTF8.self)
    switch damage {
    case "cut": text.removeLast(20)
    case "garbage": text += "{\"rows\":[7],\"nat\n"
    default: text += "{\"rows\":[6,99],\"native\":[[1,2],[3]]}\n"
    }
    try Data(text.utf8).write(to: journal)
    var calls = 0
    try RankingStage(noisyRanker { calls += 1 }, options).run(
      candidates: candidates, output: parts)
    #expect(calls == (damage == "cut" ? 3 : 2))
    #expect(try preferences(parts) == preferences(whole))
  }

  @Test("the journal of another ranker or of other candidates is not resumed") func otherKey()
    throws
  {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 11)
    let output = folder.file("p.h5")
    try stop(candidates, output)
    var calls = 0
    try RankingStage(noisyRanker("other") { calls += 1 }, options).run(
      candidates: candidates, output: output)
    #expect(calls == 4)
    try stop(candidates, folder.file("q.h5"))
    let others = try folder.candidates("others.h5", prompts: 11, seed: 2)
    calls = 0
    try RankingStage(noisyRanker { calls += 1 }, options).run(
      candidates: others, output: folder.file("q.h5"))
    #expect(calls == 4)
  }

  @Test("a ranker that gives up because it was told to is no failure") func cancelledInside() throws
  {
    struct GaveUp: Error {}
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 11)
    var isCancelled = false
    let inner = noisyRanker()
    var calls = 0
    let impatient = AnswerRanker(identity: inner.identity, givesRawScores: true) { queries in
      calls += 1
      if calls == 2 { isCancelled = true }
      if isCancelled { throw GaveUp() }
      return try inner.compare(queries).map(\.values)
    }
    let output = folder.file("p.h5")
    let error = #expect(throws: RankingError.self) {
      try RankingStage(impatient, options).run(
        candidates: candidates, output: output, cancelled: { isCancelled })
    }
    #expect(error == .cancelled(stage: "rank", done: 3, of: 11, journal: output + ".journal"))
  }

  @Test("another rule goes on with the numbers that are there") func otherRule() throws {
    let folder = try Folder()
    let candidates = try folder.candidates(prompts: 11)
    let output = folder.file("p.h5")
    try stop(candidates, output)
    var calls = 0
    let other = RankingOptions(probabilityRule: .upstreamScore, batchSize: 100)
    try RankingStage(noisyRanker { calls += 1 }, other).run(candidates: candidates, output: output)
    #expect(calls == 1)
    try RankingStage(noisyRanker(), other).run(
      candidates: candidates, output: folder.file("whole.h5"))
    #expect(try preferences(output) == preferences(folder.file("whole.h5")))
  }
}
