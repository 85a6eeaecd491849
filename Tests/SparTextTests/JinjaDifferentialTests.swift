import Foundation
import Testing

@testable import SparText

/// Cases and answers in the files beside these tests, written by jinja2 3.1.6 with transformers'
/// settings: `make_expected.py` tells how.
enum JinjaCases {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Differential")

  struct Case {
    var template: String
    var row: JSONNode
    var answer: JSONNode
  }

  /// One line of a file, or of what a generator printed.
  static func read(_ text: Data) throws -> [Case] {
    try text.split(separator: 0x0A).map { line in
      let row = try JSONParser.parse(Data(line))
      return Case(
        template: try #require(row["template"]?.string), row: row,
        answer: try #require(row["answer"]))
    }
  }

  /// What Spar answers, in the same form.
  static func answer(
    _ source: String, _ row: JSONNode, variables: JSONNode? = nil
  ) throws -> JSONNode {
    func answer(_ key: String, _ text: String) -> JSONNode {
      .object([JSONMember(key: key, value: .string(text))])
    }
    var template: ChatTemplate
    do {
      template = try ChatTemplate(source: source, name: "case")
    } catch let error as JinjaError {
      return answer("syntax", error.what)
    }
    template.now = Date(timeIntervalSince1970: 1_700_000_000)
    template.limits.steps = 2_000_000
    var given: [String: JinjaValue] = [:]
    for member in (variables ?? row["variables"])?.members ?? [] {
      given[member.key] = JinjaValue(node: member.value)
    }
    do {
      return answer(
        "rendered",
        try template.render(
          row["messages"].map(JinjaValue.init(node:)) ?? .none,
          addGenerationPrompt: row["add_generation_prompt"]?.boolean ?? false, variables: given))
    } catch let error as JinjaError {
      return answer("error", error.what)
    }
  }

  /// Templates that do not compile need not say so in the same words.
  static func agree(_ ours: JSONNode, _ theirs: JSONNode) -> Bool {
    ours == theirs || (ours["syntax"] != nil && theirs["syntax"] != nil)
      || (ours["error"]?.string?.hasPrefix("more than") == true
        && theirs["error"]?.string?.hasPrefix("maximum recursion depth") == true)
  }
}

@Suite("Jinja against jinja2") struct JinjaDifferentialTests {
  private static let values = Data(
    #"""
    {"s": "Hello, wörld! it's", "n": 7, "l": [3, 1, 2], "w": ["b", "A", "c", "a"], "none": null,
     "d": {"z": 1, "a": {"k": [1, 2]}}, "q": "it's \"q\" é", "e": [], "f": 2.5, "t": true, "x": 5,
     "sig": "ΑΣ ΣΑΣ.",
     "ms": [{"role": "user", "n": 2, "content": "hi"}, {"role": "tool", "n": 1, "content": null},
      {"role": "user", "n": 3, "content": "<b>"}]}
    """#.utf8)

  @Test("snippets of every feature, and a dozen templates on sixteen conversations")
  func expected() throws {
    let values = try JSONParser.parse(Self.values)
    let cases = try JinjaCases.read(
      Data(contentsOf: JinjaCases.folder.appendingPathComponent("expected.jsonl")))
    #expect(cases.count > 450)
    for example in cases {
      var (source, row, variables) = (example.template, example.row, example.row["variables"])
      if row["name"] != nil {
        let file = JinjaCases.folder.appendingPathComponent("templates/" + source)
        source = String(decoding: try Data(contentsOf: file), as: UTF8.self)
      } else {
        variables = values
        row = .object([JSONMember(key: "messages", value: try #require(values["ms"]))])
      }
      let answer = try JinjaCases.answer(source, row, variables: variables)
      #expect(
        JinjaCases.agree(answer, example.answer),
        "\(example.template): \(answer) instead of \(example.answer)")
    }
  }

  // MARK: Random templates

  private static let python: String? = {
    let named = ProcessInfo.processInfo.environment["SPAR_PYTHON"] ?? "python3"
    do {
      return try run([named, "-c", "import jinja2; assert jinja2.__version__ >= '3.1.6'"]).isEmpty
        ? named : nil
    } catch {
      return nil
    }
  }()

  private struct Failed: Error {}

  private static func run(_ command: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed() }
    return data
  }

  @Test(
    "random templates on random conversations",
    .enabled(
      if: python != nil, "jinja2 is not importable: set SPAR_PYTHON to a Python that has it"),
    arguments: [0, 20_000, 40_000, 60_000])
  func random(seed: Int) throws {
    let script = JinjaCases.folder.appendingPathComponent("random_templates.py").path
    let python = try #require(Self.python)
    let cases = try JinjaCases.read(
      Self.run([python, "-W", "ignore", "-B", script, "\(seed)", "750"]))
    #expect(cases.count == 750)
    var rendered = 0
    for (i, example) in cases.enumerated() {
      let answer = try JinjaCases.answer(example.template, example.row)
      if answer["rendered"] != nil { rendered += 1 }
      let reason = answer["error"]?.string ?? answer["syntax"]?.string ?? ""
      if reason.hasSuffix("not supported in chat templates") { continue }
      #expect(
        JinjaCases.agree(answer, example.answer),
        "seed \(seed + i): \(example.template.debugDescription): \(answer), not \(example.answer)")
    }
    #expect(rendered > 350)
  }
}
