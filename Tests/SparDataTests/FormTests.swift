import SparText
import Testing

@testable import SparData

@Suite("Forms of data sets") struct FormTests {
  private func example(_ text: String, _ columns: String...) throws -> (Example, DataForm) {
    let folder = try TemporaryFolder()
    let reader = FormReader(
      try FilesReader(path: folder.write("a.jsonl", text)), mapping: try ColumnMapping(columns))
    let row = try #require(try reader.next())
    let form = try #require(reader.form)
    return (try Example(row, form: form), form)
  }

  private static let user = ChatMessage(role: "user", content: "hi")

  @Test(
    "rows that mean the same give the same example",
    arguments: [
      (#"{"prompt": [U], "chosen": [A], "rejected": [B]}"#, DataForm.pairs),
      (#"{"prompt": [U], "chosen": "yes", "rejected": "no"}"#, .pairs),
      (#"{"messages": [U], "chosen": "yes", "rejected": "no"}"#, .pairs),
      (#"{"prompt": "hi", "chosen": [U, A], "rejected": [U, B]}"#, .pairs),
      (#"{"chosen": [U, A], "rejected": [U, B], "chosen_probs": 0.9}"#, .implicitPairs),
      (#"{"question": "hi", "chosen": "yes", "rejected": "no", "system": ""}"#, .questionPairs),
      (#"{"instruction": "hi", "input": "", "chosen": "yes", "rejected": "no"}"#, .alpacaPairs),
      (
        #"{"conversations": [{"from": "human", "value": "hi"}], "#
          + #""chosen": {"from": "gpt", "value": "yes"}, "rejected": {"from": "gpt", "value": "no"}}"#,
        .sharegptPairs
      ),
      (
        #"{"generate_0": [U, A], "generate_1": [U, B], "probability": [[0.5, 1], [0, 0.5]]}"#,
        .candidates
      ),
      (
        #"{"chosen": {"role": ["user", "assistant"], "content": ["hi", "yes"]}, "#
          + #""rejected": {"role": ["user", "assistant"], "content": ["hi", "no"]}}"#,
        .implicitPairs
      ),
      (
        #"{"prompt": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], "#
          + #""chosen": "yes", "rejected": "no"}"#, .pairs
      ),
    ])
  func alike(line: String, form: DataForm) throws {
    let text = line.replacing("U", with: #"{"role": "user", "content": "hi"}"#)
      .replacing("A", with: #"{"role": "assistant", "content": "yes"}"#)
      .replacing("B", with: #"{"role": "assistant", "content": "no"}"#)
    let (found, kind) = try example(text)
    #expect(kind == form)
    #expect(found == Example(prompt: .messages([Self.user]), answers: [.text("yes"), .text("no")]))
  }

  @Test("prompts, completions, texts and ids")
  func others() throws {
    #expect(
      try example(#"{"prompt": "hi"}"#) == (Example(prompt: .text("hi"), answers: []), .prompts))
    let ids = try example(#"{"prompt_ids": [1, 2], "chosen_ids": [3], "rejected_ids": [4]}"#)
    #expect(ids == (Example(prompt: .ids([1, 2]), answers: [.ids([3]), .ids([4])]), .idPairs))
    let unpaired = try example(#"{"prompt": "hi", "completion": "yes", "label": true}"#)
    #expect(unpaired == (Example(prompt: .text("hi"), answers: [.text("yes")]), .unpaired))
    let alpaca = try example(
      #"{"instruction": "Add", "input": "1 2", "output": "3", "system": "S", "#
        + #""history": [["a", "b"]]}"#)
    #expect(alpaca.1 == .alpaca)
    #expect(
      alpaca.0
        == Example(
          prompt: .messages([
            ChatMessage(role: "system", content: "S"), ChatMessage(role: "user", content: "a"),
            ChatMessage(role: "assistant", content: "b"),
            ChatMessage(role: "user", content: "Add\n1 2"),
          ]), answers: [.text("3")]))
    let shared = try example(
      #"{"conversations": [{"from": "system", "value": "S"}, {"from": "human", "value": "hi"}, "#
        + #"{"from": "gpt", "value": "yes"}]}"#)
    #expect(
      shared
        == (
          Example(
            prompt: .messages([ChatMessage(role: "system", content: "S"), Self.user]),
            answers: [.text("yes")]), .sharegpt
        ))
  }

  @Test(
    "ids that are null leave the text to be read",
    arguments: [
      #"{"prompt": "hi", "chosen": "yes", "rejected": "no", "prompt_ids": null}"#,
      #"{"prompt": "hi", "chosen": "yes", "rejected": "no", "prompt_ids": null, "#
        + #""chosen_ids": null, "rejected_ids": null}"#,
    ])
  func nullIDs(line: String) throws {
    let found = try example(line)
    #expect(found == (Example(prompt: .text("hi"), answers: [.text("yes"), .text("no")]), .pairs))
    let mixed = DataRow(
      columns: try object(#"{"prompt": null, "completion": null, "prompt_ids": [1, 2]}"#),
      place: RowPlace(path: "in", number: 2, unit: .row))
    #expect(try Example(mixed, form: .completions) == Example(prompt: .ids([1, 2]), answers: []))
    let single = try example(#"{"prompt": "hi", "completion": "yes", "prompt_ids": null}"#).0
    #expect(single == Example(prompt: .text("hi"), answers: [.text("yes")]))
    let bare = try example(#"{"prompt_ids": [1], "completion_ids": null}"#).0
    #expect(bare == Example(prompt: .ids([1]), answers: []))
  }

  @Test("columns under other names")
  func mapping() throws {
    let found = try example(
      #"{"q": "hi", "good": "yes", "bad": "no", "prompt": "not this"}"#, "prompt=q,chosen=good",
      "rejected=bad")
    #expect(found == (Example(prompt: .text("hi"), answers: [.text("yes"), .text("no")]), .pairs))
    let error = try #require(
      #expect(throws: DataError.self) { try example(#"{"q": "hi"}"#, "prompt=query") })
    #expect("\(error)".contains("no column query to take prompt from; the columns are q"))
    for (text, message) in [
      ("promt=q", "nearest: prompt"), ("prompt", "write prompt=question"),
      ("prompt=a,prompt=b", "twice"),
    ] {
      let problem = try #require(
        #expect(throws: ColumnMapping.Problem.self) { try ColumnMapping([text]) })
      #expect("\(problem)".contains(message))
    }
  }

  @Test("an unknown form is an error that lists columns and forms")
  func unknown() throws {
    let error = try #require(
      #expect(throws: DataError.self) { try example(#"{"query": "hi", "answer": "yes"}"#) })
    #expect("\(error)".contains("its columns (query, answer) are no form"))
    for form in DataForm.allCases { #expect("\(error)".contains("\(form.rawValue): ")) }
  }

  @Test(
    "what is wrong in a row",
    arguments: [
      (#"{"prompt": 3}"#, "a text or a list of messages"),
      (#"{"prompt": [{"role": "user"}]}"#, "no role or no content"),
      (#"{"prompt": "a", "chosen": "b", "rejected": null}"#, "rejected is missing"),
      (#"{"prompt": "a", "chosen": "b", "rejected": "c", "tools": [1]}"#, "column tools"),
      (#"{"prompt": "a", "images": ["x"]}"#, "column images is not supported"),
      (#"{"conversations": [{"from": "dog", "value": "x"}]}"#, "is from \"dog\"; known are"),
      (#"{"conversations": []}"#, "must be a list of turns"),
      (#"{"prompt_ids": [-1]}"#, "which is no token id"),
      (#"{"prompt_ids": ["a"]}"#, "must be a list of token ids"),
      (#"{"generate_0": "a", "generate_1": "b", "probability": []}"#, "prompt is missing"),
    ])
  func wrong(line: String, message: String) throws {
    let error = try #require(#expect(throws: DataError.self) { try example(line) })
    #expect("\(error)".contains("a.jsonl, line 1: "), "\(error)")
    #expect("\(error)".contains(message), "\(error)")
  }
}
