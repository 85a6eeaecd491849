import Foundation
import SparEvaluation
import SparPreference
import SparStore
import Testing

/// A folder that goes away with its last user.
final class Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "spar-evaluation-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Candidates with `texts[prompt]`, each answer of one id per character and an end token.
  func candidates(_ name: String, _ texts: [[String]], question: String = "q") throws -> String {
    let rows = texts.enumerated().map { index, answers in
      CandidateGroup(
        promptIndex: index, promptID: "id\(index)",
        messages: [.init(role: "user", content: "\(question)\(index)")], promptIDs: [1, 2, 3],
        answers: answers.map { text in
          let ids = text.unicodeScalars.map { Int32($0.value) } + [0]
          return CandidateAnswer(
            ids: ids, logps: ids.map { _ in -1 }, finish: .stop, text: text)
        })
    }
    let path = file(name)
    try CandidatesFile.write(
      to: path, CandidateTable(K: texts[0].count, rows: rows),
      attributes: ["model": .string("m-\(name)"), "tokenizer_digest": "t"])
    return path
  }
}

/// Prefers longer texts: M = difference of lengths.
func lengthRanker() -> AnswerRanker {
  AnswerRanker(identity: .init(id: "longer", version: "1"), givesRawScores: true) { queries in
    queries.map { query in
      let lengths = query.responses.map { Double($0.count) }
      return lengths.flatMap { a in lengths.map { a - $0 } }
    }
  }
}

@Suite("Win rate of two files") struct WinRateTests {
  let options = WinRate.Options(bootstrap: Bootstrap(resamples: 100), batchSize: 2)

  @Test("prompts whose answers could not be compared are left out and counted") func failures()
    throws
  {
    let folder = try Folder()
    let policy = try folder.candidates("policy.h5", [["aaa"], ["a"], ["aa"]])
    let base = try folder.candidates("base.h5", [["b"], ["bb"], ["b"]])
    func picky(_ fails: @escaping (String) -> Bool) -> AnswerRanker {
      AnswerRanker(
        identity: .init(id: "picky", version: "1"), givesRawScores: true, isCostly: false
      ) { queries in
        queries.map { query in
          let fails = fails(query.responses[0])
          return AnswerTable(
            fails ? [0, 0, 0, 0] : [0, 1, -1, 0], failed: [false, fails, fails, false])
        }
      }
    }
    let output = folder.file("evaluation.json")
    let report = try WinRate(picky { $0 == "a" }, options).run(
      policy: policy, base: base, output: output)
    #expect(report.n == 2 && report.failedPrompts == 1 && report.value == 1)
    #expect(report.warnings.contains { $0.hasPrefix("1 prompts are left out") })
    #expect {
      try WinRate(picky { _ in true }, options).run(
        policy: policy, base: base, output: folder.file("none.json"))
    } throws: {
      "\($0)".contains("none of 3 prompts")
    }
  }

  @Test("each policy answer meets each base answer of its prompt") func endToEnd() throws {
    let folder = try Folder()
    let policy = try folder.candidates("policy.h5", [["aaa", "a"], ["aa", "aa"], ["", "a"]])
    let base = try folder.candidates("base.h5", [["bb", "bb"], ["bb", "b"], ["bb", "bbb"]])
    let output = folder.file("evaluation.json")
    let report = try WinRate(lengthRanker(), options).run(
      policy: policy, base: base, output: output)
    #expect(report.prompts.map(\.win) == [0.5, 0.75, 0])
    #expect(abs(report.value - 1.25 / 3) < 1e-12)
    #expect(report.policy.model == "m-policy.h5")
    #expect(report.policy.empty == 1 / 6.0)
    #expect(abs(report.policy.meanTokens - 1.5) < 1e-12)
    let stored = try Data(contentsOf: URL(fileURLWithPath: output))
    #expect(try WinRateReport(json: stored) == report)
    #expect(!FileManager.default.fileExists(atPath: output + ".journal"))
  }

  @Test("a model against itself wins half") func itself() throws {
    let folder = try Folder()
    let file = try folder.candidates("a.h5", [["x", "yy"], ["zzz", "z"]])
    let report = try WinRate(lengthRanker(), options).run(
      policy: file, base: file, output: folder.file("e.json"))
    #expect(report.value == 0.5 && report.meanProbability == 0.5)
  }

  @Test("files may hold other numbers of answers") func unequal() throws {
    let folder = try Folder()
    let policy = try folder.candidates("p.h5", [["aaaa"]])
    let base = try folder.candidates("b.h5", [["b", "bb", "bbbbbb"]])
    let report = try WinRate(lengthRanker(), options).run(
      policy: policy, base: base, output: folder.file("e.json"))
    #expect(abs(report.value - 2 / 3.0) < 1e-12)
  }

  @Test("files of other prompts are not compared") func otherPrompts() throws {
    let folder = try Folder()
    let policy = try folder.candidates("p.h5", [["a"], ["b"]])
    let other = try folder.candidates("o.h5", [["a"], ["b"]], question: "other")
    let shorter = try folder.candidates("s.h5", [["a"]])
    let stage = WinRate(lengthRanker(), options)
    #expect(
      throws: EvaluationError.otherPrompts(policy: policy, base: other, prompt: "id0")
    ) { try stage.run(policy: policy, base: other, output: folder.file("e.json")) }
    #expect(throws: EvaluationError.self) {
      try stage.run(policy: policy, base: shorter, output: folder.file("e.json"))
    }
    #expect(throws: EvaluationError.counts(policy: shorter, 1, base: policy, 2)) {
      try stage.run(policy: shorter, base: policy, output: folder.file("e.json"))
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("e.json")))
  }

  @Test("a stopped evaluation goes on where it was") func resume() throws {
    let folder = try Folder()
    let policy = try folder.candidates("p.h5", (0..<7).map { [String(repeating: "a", count: $0)] })
    let base = try folder.candidates("b.h5", (0..<7).map { _ in ["bbb"] })
    let stage = WinRate(lengthRanker(), options)
    let whole = try stage.run(policy: policy, base: base, output: folder.file("whole.json"))
    var polls = 0
    #expect(throws: RankingError.self) {
      try stage.run(
        policy: policy, base: base, output: folder.file("parts.json"),
        cancelled: {
          polls += 1
          return polls > 2
        })
    }
    var first: Double?
    let parts = try stage.run(
      policy: policy, base: base, output: folder.file("parts.json"),
      progress: { if first == nil { first = $0.done } })
    #expect(first == 4)
    #expect(parts == whole)
  }
}
