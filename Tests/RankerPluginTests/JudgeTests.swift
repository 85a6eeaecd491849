import Foundation
import RankerFixtures
import SparHost
import SparPreference
import SparRanking
import SparStore
import Synchronization
import Testing

/// The first of two answers in a question of ours, and the second.
private func answers(_ question: String) -> (String, String) {
  func part(_ from: String, _ to: String) -> String {
    let tail = question.components(separatedBy: from).last ?? ""
    return tail.components(separatedBy: to).first ?? ""
  }
  return (part("[Answer A]\n", "\n\n[Answer B]"), part("[Answer B]\n", "\n\nWhich"))
}

private func judge(_ server: ChatServer, _ more: [String: String] = [:]) throws -> AnswerRanker {
  try ranker(
    "judge",
    ["model": "m", "base_url": server.url, "backoff": "0.01", "timeout": "20", "retries": "2"]
      .merging(more) { $1 })
}

@Suite("Judge behind an endpoint") struct JudgeTests {
  private let texts = ["a", "bb", "cccc"]

  @Test("log-odds of the labels, one for each order; spelled with a space they count, too")
  func logprobs() throws {
    let server = try ChatServer { request in
      let (a, b) = answers(try request.question)
      let p = Double(a.count) / Double(a.count + b.count) * 0.8 + 0.1  // likes the first place
      return .logprobs([("A", log(p / 2)), (" A", log(p / 2)), ("B", log(1 - p)), ("x", -20)])
    }
    let table = try judge(server).compare([query("hello", texts)])[0]
    let p = 1.0 / 3 * 0.8 + 0.1
    #expect(abs(table.values[1] - log(p / (1 - p))) < 1e-9)
    let q = 2.0 / 3 * 0.8 + 0.1
    #expect(abs(table.values[3] - log(q / (1 - q))) < 1e-9)
    #expect(table.failed.isEmpty && server.requests.count == 6)
    let body = try server.requests[0].json
    #expect(body["model"] as? String == "m" && body["top_logprobs"] as? Int == 20)
    #expect(body["temperature"] as? Int == 0 && body["max_tokens"] as? Int == 1)
    #expect(server.requests[0].path.hasPrefix("POST /v1/chat/completions "))
    #expect(server.requests[0].headers["authorization"] == nil)
  }

  @Test("in random order a pair is asked about once, and the order is a matter of the texts")
  func randomOrder() throws {
    let server = try ChatServer { request in
      let (a, b) = answers(try request.question)
      return .logprobs([("A", -1.0 / Double(a.count)), ("B", -2.0 / Double(b.count))])
    }
    let many = (1...8).map { String(repeating: "z", count: $0) }
    let ranker = try judge(server, ["order": "random"])
    let plain = try ranker.compare([query("hello", many)])[0].values
    #expect(server.requests.count == 28)
    let moved = try ranker.compare([query("hello", many.reversed())])[0].values
    #expect(isPermuted(moved, plain, Array((0..<8).reversed())))
    let firsts = try server.requests.prefix(28).count { request in
      let (a, b) = answers(try request.question)
      return a.count < b.count
    }
    #expect((5...23).contains(firsts), "\(firsts) of 28")
    let other = try judge(server, ["order": "random", "seed": "1"]).compare([query("hello", many)])
    #expect(other[0].values != plain)
  }

  @Test("text: the label that is named, with the certainty given") func text() throws {
    let server = try ChatServer { request in
      answers(try request.question).0.count > 2 ? .text("Answer A.") : .text("B")
    }
    let table = try judge(server, ["read": "text", "certainty": "0.75"]).compare([
      query("hello", texts)
    ])[0]
    #expect(abs(table.values[6] - log(3)) < 1e-12 && abs(table.values[2] + log(3)) < 1e-12)
    #expect(table.failed.isEmpty)
  }

  @Test(
    "replies of no use are failures, not numbers",
    arguments: [
      ChatServer.Response.text("A"), .json("not JSON"), .json("{}"), .json("{\"choices\":[]}"),
      .logprobs([]), .logprobs([("x", -1), ("y", -2)]), .logprobs([("A", 1e300), ("B", -1)]),
      .json("{\"choices\":[{\"logprobs\":{\"content\":[{\"top_logprobs\":[{\"token\":1}]}]}}]}"),
    ])
  func useless(response: ChatServer.Response) throws {
    let server = try ChatServer { request in
      let (a, b) = answers(try request.question)
      return a + b == "abb" ? response : .logprobs([("A", -0.5), ("B", -1)])
    }
    let table = try judge(server).compare([query("hello", texts)])[0]
    #expect(table.failed == [false, true, false, true, false, false, false, false, false])
    #expect(table.values[1] == 0 && table.values[3] == 0 && table.values[2] == 0.5)
    #expect(server.requests.count == 6)
  }

  @Test("text that names both labels, or none, is a failure", arguments: ["A or B", "neither", ""])
  func ambiguous(reply: String) throws {
    let server = try ChatServer { _ in .text(reply) }
    let table = try judge(server, ["read": "text"]).compare([query("q", ["x", "y"])])[0]
    #expect(table.failed == [false, true, true, false])
  }

  @Test(
    "what passes by itself is tried again",
    arguments: [
      ChatServer.Response.status(429), .status(500), .status(503), .silence, .hangUp,
      .status(429, headers: ["Retry-After": "nan"]),
    ])
  func retries(first: ChatServer.Response) throws {
    let server = try ChatServer { request in
      request.number == 0 ? first : .logprobs([("A", -0.5), ("B", -1)])
    }
    let patient = ["concurrency": "1", "order": "random", "timeout": "2"]
    let table = try judge(server, patient).compare([query("q", ["x", "y"])])[0]
    #expect(table.failed.isEmpty && abs(table.values[1]) == 0.5)
    #expect(server.requests.count == 2)
  }

  @Test("waits double, and Retry-After comes first") func backoff() throws {
    let server = try ChatServer { request in
      switch request.number {
      case 0: .status(503)
      case 1: .status(429, headers: ["Retry-After": "0.3"])
      default: .logprobs([("A", -0.5), ("B", -1)])
      }
    }
    let start = ContinuousClock.now
    _ = try judge(server, ["order": "random", "backoff": "0.1"]).compare([query("q", ["x", "y"])])
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    #expect(seconds >= 0.4, "\(seconds)")
  }

  @Test("after all attempts the pair has failed; a dead endpoint ends the ranking in words")
  func failures() throws {
    let server = try ChatServer { request in
      let (a, b) = answers(try request.question)
      return a + b == "xy" ? .status(500) : .logprobs([("A", -0.5), ("B", -1)])
    }
    let one = try judge(server, ["concurrency": "1"]).compare([query("q", ["x", "y"])])[0]
    #expect(one.failed == [false, true, true, false] && server.requests.count == 4)
    #expect {
      try judge(server, ["give_up_after": "1"]).compare([query("q", ["x", "y"])])
    } throws: {
      "\($0)".contains("got no answer") && "\($0)".contains("status 500, after 3 attempts")
    }
  }

  @Test("questions without an answer are counted from prompt to prompt") func givingUp() throws {
    let server = try ChatServer { _ in .status(500) }
    let ranker = try judge(server, ["give_up_after": "3", "retries": "0"])
    #expect(try ranker.compare([query("q", ["x", "y"])])[0].failed == [false, true, true, false])
    #expect { try ranker.compare([query("r", ["x", "y"])]) } throws: {
      "\($0)".contains("got no answer")
    }
  }

  @Test(
    "a label that no reply can name is refused",
    arguments: [("text", "[[A]]"), ("text", "first one"), ("logprobs", " A")])
  func labels(read: String, label: String) throws {
    let server = try ChatServer { _ in .text("A") }
    #expect { try judge(server, ["read": read, "label_a": label]) } throws: {
      "\($0)".contains("is never found in a reply")
    }
  }

  @Test("a seed that nothing would read is refused") func unreadSeed() throws {
    let server = try ChatServer { _ in .logprobs([("A", -0.5), ("B", -1)]) }
    #expect { try judge(server, ["seed": "1"]).compare([query("q", ["x", "y"])]) } throws: {
      "\($0)".contains("seed is for order=random")
    }
    #expect(server.requests.isEmpty)
  }

  @Test("a refusal that would come again ends the ranking at once", arguments: [400, 401, 404])
  func refusals(code: Int) throws {
    let server = try ChatServer { _ in .status(code, body: "{\"error\":\"no such model\"}") }
    #expect {
      try judge(server, ["concurrency": "1"]).compare([query("q", ["x", "y"])])
    } throws: { "\($0)".contains("answers \(code): {\"error\":\"no such model\"}") }
    #expect(server.requests.count == 1)
  }

  @Test("the key comes from the environment and goes into the header alone") func key() throws {
    setenv("SPAR_TEST_KEY", "s3cret", 1)
    defer { unsetenv("SPAR_TEST_KEY") }
    let server = try ChatServer { _ in .logprobs([("A", -0.5), ("B", -1)]) }
    _ = try judge(server, ["api_key_env": "SPAR_TEST_KEY"]).compare([query("q", ["x", "y"])])
    #expect(server.requests[0].headers["authorization"] == "Bearer s3cret")
    #expect(throws: (any Error).self) { try judge(server, ["api_key_env": "SPAR_NO_SUCH_KEY"]) }
  }

  @Test("a prompt of one's own; an answer may spell its places") func prompts() throws {
    let folder = try Folder()
    let path = folder.file("ask.txt")
    try Data("{prompt} 1:{a} 2:{b} {c}".utf8).write(to: URL(fileURLWithPath: path))
    let server = try ChatServer { _ in .logprobs([("1", -0.5), ("2", -1)]) }
    let own = ["prompt_file": path, "label_a": "1", "label_b": "2", "order": "both"]
    let table = try judge(server, own).compare([query("say {a}", ["{b}", "y"])])[0]
    #expect(table.values[1] == 0.5 && table.values[2] == 0.5)
    let asked = try server.requests.map { try $0.question }.sorted()
    #expect(asked == ["say {a} 1:y 2:{b} {c}", "say {a} 1:{b} 2:y {c}"])
    try Data("{prompt} {a}".utf8).write(to: URL(fileURLWithPath: path))
    #expect { try judge(server, own) } throws: { "\($0)".contains("has no {b}") }
  }

  @Test("labels of one's own are asked for, by our prompt and by one that has their places")
  func ownLabels() throws {
    let folder = try Folder()
    let path = folder.file("ask.txt")
    let server = try ChatServer { _ in .logprobs([("eins", -0.5), ("zwei", -1)]) }
    let labels = ["label_a": "eins", "label_b": "zwei", "order": "random"]
    _ = try judge(server, labels).compare([query("q", ["x", "y"])])
    let asked = try #require(server.requests.first).question
    #expect(asked.contains("[Answer eins]"), "\(asked)")
    #expect(asked.contains("Reply with eins or zwei"), "\(asked)")
    try Data("{prompt}{a}{b} {label_a}/{label_b}?".utf8).write(to: URL(fileURLWithPath: path))
    _ = try judge(server, labels.merging(["prompt_file": path]) { $1 })
      .compare([query("q", ["x", "x{label_a}"])])
    let placed = try #require(server.requests.dropFirst().first).question
    #expect(placed.hasSuffix(" eins/zwei?") && placed.contains("x{label_a}"), "\(placed)")
  }

  @Test(
    "a prompt that does not ask for a label is refused: no reply would name it",
    arguments: ["{prompt} Answers: {a} {b}", "{prompt} A:{a} 2:{b}"])
  func unaskedLabel(text: String) throws {
    let folder = try Folder()
    let path = folder.file("ask.txt")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    let server = try ChatServer { _ in .text("A") }
    #expect { try judge(server, ["prompt_file": path]) } throws: {
      "\($0)".contains("does not ask for the label")
    }
  }

  @Test("a reply without end is cut, and is a failure of its pair") func longReply() throws {
    let server = try ChatServer { request in
      let (a, b) = answers(try request.question)
      let fine = ChatServer.Response.logprobs([("A", -0.5), ("B", -1)])
      guard a + b == "abb", case .status(_, _, let body) = fine else { return fine }
      return .json(body + String(repeating: " ", count: 8 << 20))
    }
    let table = try judge(server).compare([query("hello", texts)])[0]
    #expect(table.failed == [false, true, false, true, false, false, false, false, false])
    #expect(table.values[2] == 0.5 && server.requests.count == 6)
  }

  @Test("an interrupted ranking goes on with the prompt that is missing, failures are kept")
  func resume() throws {
    let folder = try Folder()
    let candidates = folder.file("candidates.h5")
    let rows = (0..<5).map { index in
      CandidateGroup(
        promptIndex: index, promptID: "p\(index)",
        messages: [.init(role: "user", content: "prompt \(index)")], promptIDs: [1],
        answers: (0..<3).map { answer in
          CandidateAnswer(
            ids: [Int32(answer), 0], logps: [-1, -1], finish: .stop,
            text: String(repeating: "w", count: answer + 1))
        })
    }
    try CandidatesFile.write(to: candidates, CandidateTable(K: 3, rows: rows))
    let isDown = Mutex(true)
    let server = try ChatServer { request in
      let question = try request.question
      let (a, b) = answers(question)
      if question.contains("prompt 3"), isDown.withLock({ $0 }) { return .status(401) }
      if question.contains("prompt 1"), a.count + b.count == 3 { return .text("?") }
      return .logprobs([("A", -1 / Double(a.count)), ("B", -1 / Double(b.count))])
    }
    let stage = RankingStage(try judge(server))
    let output = folder.file("preferences.h5")
    #expect(throws: (any Error).self) { try stage.run(candidates: candidates, output: output) }
    #expect(FileManager.default.fileExists(atPath: output + ".journal"))
    let before = try server.requests.count { try !$0.question.contains("prompt 3") }
    #expect(before == 18)
    isDown.withLock { $0 = false }
    let summary = try stage.run(candidates: candidates, output: output)
    let again = try server.requests.suffix(12).count { request in
      let question = try request.question
      return ["prompt 0", "prompt 1", "prompt 2"].contains { question.contains($0) }
    }
    #expect(again == 0)
    #expect(summary.failedPairs == 1 && summary.pairs == 5)
    let table = try PreferencesFile.read(output).table
    #expect(table.failedPairs(of: 1)[1] && table.failedPairs(of: 1)[3])
    #expect(table.failed.count { $0 != 0 } == 2 && table.winProbability[9 + 1] == 0.5)
  }
}
