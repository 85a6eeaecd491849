import Foundation
import SparStore
import Testing

/// Outputs that would replace what they are made from, and rankings of other answers.
@Suite("What a command may write, and which answers it takes") struct OutputFileTests {
  /// Answers to one prompt; the ranker `length` prefers the first.
  private func candidates(_ path: String, answers: [String] = ["a longer one", "short"]) throws {
    try CandidatesFile.write(
      to: path,
      CandidateTable(
        K: answers.count,
        rows: [
          CandidateGroup(
            promptIndex: 0, promptID: "one", messages: [.init(role: "user", content: "Say it.")],
            promptIDs: [1],
            answers: answers.enumerated().map { place, text in
              CandidateAnswer(
                ids: [Int32(place + 3), 2], logps: [-1, -1], finish: .stop, text: text)
            })
        ]))
  }

  private func isRefused(_ arguments: [String], _ clue: String, keeping path: String) throws {
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let result = try SparProcess.run(arguments)
    #expect(result.status == 2, "\(arguments): \(result.errors)")
    #expect(result.errors.contains(clue), "\(result.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test("no output takes the place of an input, by whatever name")
  func overInputs() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let answers = folder.file("candidates.h5")
    try candidates(answers)
    let link = folder.file("link.h5")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: answers)
    let rank = ["rank", "--ranker", "length", "--candidates", answers]
    let other = folder.path + "/./candidates.h5"
    for output in [answers, link, other] {
      try isRefused(rank + ["-o", output], "files that are read (--candidates)", keeping: answers)
    }
    try isRefused(
      ["evaluate", "--policy", answers, "--base", link, "--ranker", "length", "-o", answers],
      "files that are read (--policy)", keeping: answers)
    let prompts = try folder.write("p.jsonl", #"{"prompt": "Hi"}"# + "\n")
    let generate = ["generate", "--model", "m", "--prompts", prompts]
    try isRefused(generate + ["-o", prompts], "(--prompts)", keeping: prompts)
    try isRefused(generate + ["--jsonl", prompts], "(--prompts)", keeping: prompts)
    try isRefused(generate + ["--capture", prompts], "(--prompts)", keeping: prompts)
    try isRefused(
      generate + ["-o", folder.file("a.h5"), "--jsonl", folder.file("a.h5")],
      "is the file of --output, too", keeping: prompts)
    try isRefused(
      ["activations", "--model", "m", "--input", prompts, "-o", prompts], "(--input)",
      keeping: prompts)
    try isRefused(["data", "convert", prompts, prompts], "(<input>)", keeping: prompts)
  }

  @Test("what could not be written is said before anything is computed")
  func unwritable() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let answers = folder.file("candidates.h5")
    try candidates(answers)
    let rank = ["rank", "--ranker", "length", "--candidates", answers, "-o"]
    try isRefused(rank + [folder.path], "is a folder", keeping: answers)
    try isRefused(rank + [folder.file("no/p.h5")], "there is no folder", keeping: answers)
    try isRefused(rank + [answers + "/p.h5"], "is no folder", keeping: answers)
    try isRefused(rank + ["/dev/stdout"], "no file that can be replaced", keeping: answers)
  }

  @Test("pairs are shown and derived of the answers that were ranked, and of no others")
  func otherAnswers() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let (answers, ranking) = (folder.file("candidates.h5"), folder.file("preferences.h5"))
    try candidates(answers)
    let ranked = try SparProcess.run([
      "rank", "--ranker", "length", "--candidates", answers, "-o", ranking,
    ])
    #expect(ranked.status == 0, "\(ranked.errors)")
    // The file that the ranking names, without being told.
    let shown = try SparProcess.run(["pair", "--preferences", ranking])
    #expect(shown.lines.dropFirst() == ["  + a longer one", "  - short"], "\(shown.errors)")
    let fewer = folder.file("fewer.h5")
    try candidates(fewer, answers: ["only one"])
    let alike = folder.file("alike.h5")
    try candidates(alike, answers: ["another one", "same"])
    for (path, clue) in [(fewer, "their prompts or K differ"), (alike, "ranks other answers")] {
      for flags in [[], ["-o", folder.file("new.h5")]] {
        let result = try SparProcess.run(
          ["pair", "--preferences", ranking, "--candidates", path] + flags)
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.errors.contains(clue), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("new.h5")))
      }
    }
  }

  @Test("bytes that are not UTF-8 are an error, and never another text")
  func brokenText() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let path = folder.file("latin1.jsonl")
    let answers = #"", "chosen": "a", "rejected": "b"}"#
    let row = Data(#"{"prompt": "caf"#.utf8) + [0xE9] + Data(answers.utf8)
    try (row + [0x0A]).write(to: URL(fileURLWithPath: path))
    let prompts = folder.file("prompts.jsonl")
    try (Data(#"{"prompt": "caf"#.utf8) + [0xE9] + Data("\"}\n".utf8)).write(
      to: URL(fileURLWithPath: prompts))
    for command in [
      ["data", "convert", path, folder.file("out.jsonl")],
      ["evaluate-ranker", "--ranker", "length", "--dataset", path],
      ["generate", "--model", "m", "--prompts", prompts, "-o", folder.file("c.h5")],
    ] {
      let result = try SparProcess.run(command)
      #expect(result.status == 1)
      #expect(result.errors.contains("bytes that are not UTF-8"), "\(result.errors)")
      #expect(result.errors.contains("1"))
    }
    let seen = try SparProcess.run(["data", "inspect", path])
    #expect(seen.status == 0)
    #expect(seen.errors.contains("line 1: the row holds bytes that are not UTF-8"))
    let chat = try folder.write("chat.jinja", "{{ messages[0].content }}")
    let message = folder.file("message.jsonl")
    try (Data(#"{"messages": [{"role": "user", "content": ""#.utf8) + [0xE9] + Data("\"}]}\n".utf8))
      .write(to: URL(fileURLWithPath: message))
    let rendered = try SparProcess.run(["template", "--model", chat, "--input", message])
    #expect(rendered.output.hasPrefix(#"{"error":"bytes that are not UTF-8"#), "\(rendered.output)")
  }

  @Test("a journal never takes the place of another file")
  func journalOfData() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let text = #"{"prompt": "Hi", "chosen": "Hello.", "rejected": "No."}"# + "\n"
    let data = try folder.write("pairs.jsonl", text)
    let result = try SparProcess.run([
      "evaluate-ranker", "--ranker", "length", "--dataset", data, "--journal", data,
    ])
    #expect(result.status == 1)
    #expect(result.errors.contains("no journal of unfinished work"), "\(result.errors)")
    #expect(try String(contentsOfFile: data, encoding: .utf8) == text)
  }

  @Test("how a model is kept in memory is no option of a ranker that has none")
  func weightsOfNothing() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let answers = folder.file("candidates.h5")
    try candidates(answers)
    try isRefused(
      [
        "rank", "--ranker", "length", "--candidates", answers, "-o", folder.file("p.h5"),
        "--weights", "stored",
      ], "ranker length runs none here", keeping: answers)
  }

  @Test("data without a row are no sound data")
  func noRows() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let path = try folder.write("empty.jsonl", "\n")
    for command in [["data", "doctor", path], ["generate", "--model", "m", "--prompts", path]] {
      let result = try SparProcess.run(command)
      #expect(result.status == 1)
      #expect(result.output.isEmpty)
      #expect(result.errors.contains("there is no row") || result.errors.contains("no model at m"))
    }
  }
}
