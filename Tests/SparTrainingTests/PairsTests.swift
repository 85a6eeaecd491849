import Foundation
import SparStore
import SparTraining
import Testing

/// One id per character; conversations get their roles' first letters, answers a 2 at the end.
private struct Letters: PairEncoder {
  var beginID: Int32? = 1

  func text(_ text: String) -> [Int32] { text.unicodeScalars.map { Int32($0.value) } }
  func prompt(_ messages: [PairMessage]) -> [Int32] {
    [1] + messages.flatMap { text(String($0.role.prefix(1)) + $0.content) }
  }
  func answer(_ text: String) -> [Int32] { self.text(text) + [2] }
}

@Suite("Pairs of a JSONL file") struct PairsFileTests {
  private func read(_ lines: [String], _ options: TrainingOptions = TrainingOptions()) throws
    -> [TrainingGroup]
  {
    let path = try temporaryFolder() + "/pairs.jsonl"
    try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    return try PairsFile.read(path, encoder: Letters(), options: options)
  }

  private let conversation = Letters().prompt([PairMessage(role: "user", content: "hi")])

  @Test("plain text stands as it is, with certain labels")
  func plain() throws {
    let group = try read([#"{"prompt": "ab", "chosen": "c", "rejected": "de"}"#, ""])[0]
    #expect(group.promptIDs == [97, 98])
    #expect(group.answers.map(\.ids) == [[99, 2], [100, 101, 2]])
    #expect(group.answers.map(\.label) == [1, -1])
    #expect(group.answers.map(\.winProb) == [1, 0])
    #expect(group.pairwise == [0.5, 1, 0, 0.5])
    #expect(group.answers[0].refLogp == nil)
  }

  @Test(
    "every layout of a conversation gives the same ids",
    arguments: [
      #"{"prompt": [U], "chosen": [A], "rejected": [B]}"#,
      #"{"messages": [U], "chosen": "yes", "rejected": "no"}"#,
      #"{"chosen": [U, A], "rejected": [U, B]}"#,
      #"{"prompt": "hi", "chosen": [U, A], "rejected": [U, B]}"#,
      #"{"prompt": [U], "chosen": [U, A], "rejected": [U, B]}"#,
    ])
  func conversations(line: String) throws {
    let text = line.replacing("U", with: #"{"role": "user", "content": "hi"}"#)
      .replacing("A", with: #"{"role": "assistant", "content": "yes"}"#)
      .replacing("B", with: #"{"role": "assistant", "content": "no"}"#)
    let group = try read([text])[0]
    #expect(group.promptIDs == conversation)
    #expect(group.answers.map(\.ids) == [Letters().answer("yes"), Letters().answer("no")])
  }

  @Test("probabilities, references, ids and further columns are taken over")
  func numbers() throws {
    let line = #"""
      {"prompt_ids": [5, 6], "chosen_ids": [7, 2], "rejected_ids": [8, 2], "chosen_probs": 0.9,
       "chosen_probs_win": 0.8, "chosen_probs_lose": 0.3, "ref_chosen_logps": -12.5,
       "ref_rejected_logps": -14.2, "margin": 3}
      """#.replacing("\n", with: "")
    let group = try read([line])[0]
    #expect(group.promptIDs == [5, 6])
    #expect(group.answers.map(\.ids) == [[7, 2], [8, 2]])
    #expect(group.answers.map(\.winProb) == [0.8, 0.3])
    #expect(group.answers.map(\.refLogp) == [-12.5, -14.2])
    #expect(abs(group.pairwise[2] - 0.1) < 1e-15)
    #expect(abs(group.score[1] - 2.197_224_577_336_219) < 1e-12)
    #expect(group.columns == ["margin": [3, 3]])
  }

  @Test(
    "a broken line is an error with its place",
    arguments: [
      ("{\"prompt\": ", "not JSON"), ("[1]", "not a JSON object"),
      (#"{"prompt": "a", "chosen": "b"}"#, "rejected is missing"),
      (#"{"chosen": "b", "rejected": "c"}"#, "prompt is missing"),
      (#"{"prompt": "a", "chosen": 3, "rejected": "c"}"#, "chosen must be"),
      (
        #"{"prompt": "a", "chosen": [{"role": "user", "content": "x"}], "rejected": "c"}"#,
        "assistant"
      ),
      (#"{"prompt": "a", "chosen": "b", "rejected": "c", "chosen_probs": 1.5}"#, "chosen_probs"),
      (#"{"prompt": "", "chosen": "b", "rejected": "c"}"#, "prompt has no token"),
      (#"{"prompt_ids": [1.5], "chosen_ids": [2], "rejected_ids": [3]}"#, "prompt_ids"),
    ])
  func broken(line: String, what: String) throws {
    let good = #"{"prompt": "a", "chosen": "b", "rejected": "c"}"#
    let error = try #require(#expect(throws: TrainingError.self) { try read([good, line]) })
    #expect("\(error)".contains("pairs.jsonl, line 2: "))
    #expect("\(error)".contains(what), "\(error)")
  }

  @Test("too long a group loses the prompt's beginning, then the answers' ends")
  func truncation() throws {
    var options = TrainingOptions()
    options.maxPromptLength = 4
    options.maxLength = 7
    let line =
      #"{"prompt": [{"role": "user", "content": "abcdef"}], "chosen": "12345", "#
      + #""rejected": "1", "ref_rejected_logps": -3}"#
    let group = try read([line], options)[0]
    #expect(group.promptIDs == [1] + Letters().text("def"))
    #expect(group.answers.map(\.ids) == [Letters().text("123"), Letters().answer("1")])
    #expect(group.answers[1].refLogp == nil)
    options.truncation = .keepStart
    #expect(try read([line], options)[0].promptIDs == [1] + Letters().text("uab"))
    options.truncation = .refuse
    let error = try #require(#expect(throws: TrainingError.self) { try read([line], options) })
    #expect("\(error)".contains("line 1: prompt and answer have 14 tokens, the limit is 7"))
    options.maxLength = 14
    #expect(try read([line], options)[0].promptIDs.count == 8)
  }
}
