import SparText
import Testing

@testable import SparData

@Suite("The doctor of data") struct DoctorTests {
  private func examine(
    _ lines: [String], _ chat: ChatEncoder?, heldOut: [String] = [],
    options: DataDoctor.Options = DataDoctor.Options()
  ) throws -> DoctorReport {
    let folder = try TemporaryFolder()
    func reader(_ name: String, _ lines: [String]) throws -> MixtureReader {
      let text = lines.joined(separator: "\n")
        .replacing("§", with: #"{"role": "user", "content": "hi"}"#)
      return MixtureReader(try DataMixture(folder.write(name, text)))
    }
    let doctor = DataDoctor(chat: chat, options: options)
    if !heldOut.isEmpty { try doctor.learnHeldOut(reader("held.jsonl", heldOut)) }
    return try doctor.examine(reader("rows.jsonl", lines))
  }

  private func names(_ report: DoctorReport) -> [FindingKind] { report.findings.map(\.name) }

  private static let good = #"{"prompt": [§], "chosen": "yes", "rejected": "no"}"#

  @Test("nothing is found where nothing is wrong")
  func healthy() throws {
    let report = try examine([Self.good], TinyChat.chat())
    #expect(report.findings.isEmpty && report.rows == 1 && report.form == "pairs")
  }

  @Test(
    "what a row says by itself",
    arguments: [
      (#"{"prompt": [§], "chosen": "yes", "rejected": "yes"}"#, FindingKind.identicalAnswers),
      (#"{"prompt": [§], "chosen": " ", "rejected": "no"}"#, .emptyAnswer),
      (
        #"{"prompt": [{"role": "user", "content": " "}], "chosen": "a", "rejected": "no"}"#,
        .emptyPrompt
      ),
      (
        #"{"prompt": [§], "chosen": "yes", "rejected": "no", "chosen_probs": NaN}"#, .badProbability
      ),
      (
        #"{"prompt": [§], "chosen": "a", "rejected": "b", "chosen_probs_win": 1.5}"#,
        .badProbability
      ),
      (#"{"prompt": [§], "chosen": "a", "rejected": "b", "chosen_probs": 0.2}"#, .upsetProbability),
      (#"{"prompt": [§, §], "chosen": "yes", "rejected": "no"}"#, .rolesOutOfOrder),
      (#"{"prompt": 3, "chosen": "yes", "rejected": "no"}"#, .unreadableRow),
      (#"{"prompt": [§], "chosen": "no", "rejected": "yes"}"#, .contradiction),
      (Self.good, .duplicate),
      (#"{"prompt": "<s>hi", "chosen": "a", "rejected": "b"}"#, .doubleBOS),
      (#"{"prompt": [§], "chosen": "a<|end|>", "rejected": "b"}"#, .specialToken),
      (#"{"prompt": "a:", "chosen": " b", "rejected": "c"}"#, .seam),
    ])
  func rows(line: String, finding: FindingKind) throws {
    let report = try examine([Self.good, line], TinyChat.chat(addsBOS: true))
    let found = try #require(report.findings.first { $0.name == finding }, "\(report.findings)")
    #expect(found.count == 1 && found.rows[0].hasSuffix("rows.jsonl, line 2"))
    #expect(report.errors.isEmpty == (finding.severity == .warning))
  }

  @Test("invalid UTF-8, ids without an end, a table that is none")
  func others() throws {
    let folder = try TemporaryFolder()
    let bytes =
      Array(#"{"prompt": "a"#.utf8) + [0xFF] + Array(#"", "chosen": "b", "rejected": "c"}"#.utf8)
    let path = try folder.write("a.jsonl", bytes)
    let broken = try DataDoctor(chat: nil).examine(
      MixtureReader(DataMixture(path), takesBrokenText: true))
    // Whoever does not look at it gets no other text in its place.
    #expect(throws: DataError.self) { try MixtureReader(DataMixture(path)).next() }
    #expect(names(broken) == [.invalidUTF8])
    let ids = #"{"prompt_ids": [256, 256, 1], "chosen_ids": [2, 258], "rejected_ids": [3]}"#
    #expect(names(try examine([ids], TinyChat.chat())) == [.doubleBOS, .missingEnd])
    let row =
      #"{"prompt": "hi", "generate_0": "a", "generate_1": "b", "probability": [[0.5, 2], [-1, 0.5]]}"#
    let table = try examine([row], nil)
    #expect(names(table) == [.badProbability])
    #expect(table.findings[0].detail?.contains("probability holds 2") == true)
    #expect(names(try examine([Self.good], TinyChat.chat(ends: []))).contains(.noEnd))
    #expect(names(try examine([Self.good], TinyChat.chat(nil))) == [.noTemplate])
  }

  @Test("templates: a prompt that is no prefix, an answer that changes, an end that lacks")
  func templates() throws {
    let thinking = TinyChat.plain.replacing("<|bot|>{% endif %}", with: "<|bot|>think{% endif %}")
    let prefix = try examine([Self.good], TinyChat.chat(thinking))
    #expect(names(prefix) == [.notPrefixPreserving])
    #expect(prefix.findings[0].detail?.contains("\"think\" in the prompt") == true)
    let trims = TinyChat.plain.replacing("{{ m.content }}", with: "{{ m.content | trim }}")
    let padded = #"{"prompt": [§], "chosen": " yes", "rejected": "no"}"#
    #expect(names(try examine([padded], TinyChat.chat(trims))) == [.answerChanged])
    let open = TinyChat.plain.replacing("<|end|>", with: "\n")
    #expect(names(try examine([Self.good], TinyChat.chat(open))) == [.templateEnd])
    let refuses = "{{ raise_exception('not with me') }}"
    let refused = try examine([Self.good], TinyChat.chat(refuses))
    #expect(names(refused) == [.templateRefuses])
    #expect(refused.findings[0].detail == "not with me")
    let twice = "<s>" + TinyChat.plain
    #expect(names(try examine([Self.good], TinyChat.chat(twice))) == [.doubleBOS])
  }

  @Test("lengths: what will be cut, and what the model cannot hold")
  func lengths() throws {
    var options = DataDoctor.Options()
    options.maxLength = 6
    let cut = try examine([Self.good], TinyChat.chat(), options: options)
    #expect(names(cut) == [.truncated])
    // <s> <|user|> h i <|end|> <|bot|>, then y e s and the end.
    #expect(cut.findings[0].detail == "10 tokens, max_length is 6")
    options.maxLength = 100
    options.maxPositions = 8
    #expect(
      names(try examine([Self.good], TinyChat.chat(), options: options)) == [.tooLongForModel])
  }

  @Test("prompts of the held-out data, the same and alike")
  func overlap() throws {
    let text = "please explain in simple words why the sky is blue at noon and red at dusk"
    let held = [#"{"prompt": "\#(text)"}"#, #"{"prompt": "Short one"}"#]
    func found(_ prompt: String) throws -> [FindingKind] {
      let line = #"{"prompt": "\#(prompt)", "chosen": "a", "rejected": "b"}"#
      return names(try examine([line], nil, heldOut: held))
    }
    #expect(try found("short   ONE") == [.heldOutOverlap])
    #expect(try found(text.uppercased()) == [.heldOutOverlap])
    #expect(try found("hello, \(text.replacing("dusk", with: "night"))") == [.heldOutSimilar])
    #expect(try found("please explain why the sea is green") == [])
  }

  @Test("many rows of a kind are counted, the first five named, errors first")
  func counts() throws {
    let equal = #"{"prompt": [§], "chosen": "a", "rejected": "a"}"#
    let report = try examine(Array(repeating: equal, count: 9), nil)
    #expect(names(report) == [.identicalAnswers, .duplicate])
    #expect(report.findings.map(\.count) == [9, 8] && report.findings[0].rows.count == 5)
    // Both answers have it: the row counts once.
    let special = #"{"prompt": [§], "chosen": "a<|end|>", "rejected": "b<|end|>"}"#
    let twice = try examine(Array(repeating: special, count: 9), TinyChat.chat())
    #expect(twice.findings.first { $0.name == .specialToken }?.count == 9)
  }
}
