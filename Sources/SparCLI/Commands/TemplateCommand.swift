import ArgumentParser
import Foundation
import SparModel
import SparPipeline
import SparText

struct TemplateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "template",
    abstract: "Render conversations by a chat template, JSON lines in and out.",
    discussion: """
      In:  {"messages": […], "add_generation_prompt": true, "tools": […], "variables": {…}}
      Out: {"rendered": …}, or {"error": …} for a line that cannot be rendered: one that the \
      template refuses, or one that is no such row. The lines after it go on.

      Only messages must be given. add_generation_prompt is false, tools and documents are none \
      unless given; variables override the model's bos_token, eos_token, … A name that is none of \
      these is an error: a misspelt add_generation_prompt would change the prompt in silence.

      Of several named templates the one called tool_use renders rows with tools, and default \
      the others; --template NAME chooses one for all.
      """)

  @Option(
    help: "A model, its tokenizer_config.json, or a template's file that ends with .jinja.",
    completion: .file())
  var model: String

  @Option(help: "The named template to use, where the model has several.")
  var template: String?

  @Option(name: .shortAndLong, help: "JSON lines; - for stdin.", completion: .file())
  var input = "-"

  private struct Problem: Error, CustomStringConvertible {
    var description: String
  }

  func run() throws {
    let set = try open()
    // A template that does not exist or parse fails before the first row.
    let plain = try set.template(named: template)
    let withTools = try set.template(named: template, hasTools: true)
    try JSONLines(path: input).forEachLine { line in
      let outcome: [String: String]
      do {
        let row = try Row(line)
        let template = row.variables["tools"].map { $0 != .none } ?? false ? withTools : plain
        outcome = [
          "rendered": try template.render(
            row.messages, addGenerationPrompt: row.addsGenerationPrompt,
            variables: set.tokens.merging(row.variables) { $1 })
        ]
      } catch let error as JinjaError {
        outcome = ["error": error.what]
      } catch let error as Problem {
        outcome = ["error": error.description]
      }
      try Terminal.json(outcome)
    }
  }

  /// One line of the input.
  private struct Row {
    var messages: JinjaValue
    var addsGenerationPrompt = false
    var variables: [String: JinjaValue] = [:]

    private static let members = [
      "messages", "add_generation_prompt", "tools", "documents", "variables",
    ]

    init(_ line: Data) throws {
      guard String(validating: line, as: UTF8.self) != nil else {
        throw Problem(description: JSONLines.notUTF8)
      }
      // The order of members is kept: templates may print them.
      guard case .dictionary(let row) = try JinjaValue(jsonText: line, name: "the line") else {
        throw Problem(description: "not a JSON object")
      }
      for case .string(let name) in row.keys where !Self.members.contains(name) {
        let nearest = NearestName.of(name, among: Self.members).map { "; did you mean \"\($0)\"?" }
        throw Problem(
          description: "unknown member \"\(name)\""
            + (nearest ?? "; known are " + Self.members.joined(separator: ", ")))
      }
      guard let messages = row["messages"], case .list = messages else {
        throw Problem(description: "\"messages\" must be a list")
      }
      self.messages = messages
      switch row["add_generation_prompt"] ?? .none {
      case .none: break
      case .boolean(let given): addsGenerationPrompt = given
      default: throw Problem(description: "\"add_generation_prompt\" must be true or false")
      }
      switch row["variables"] ?? .none {
      case .none: break
      case .dictionary(let given):
        for (key, value) in zip(given.keys, given.values) {
          if case .string(let name) = key { variables[name] = value }
        }
      default: throw Problem(description: "\"variables\" must be an object")
      }
      for name in ["tools", "documents"] {
        if let value = row[name] { variables[name] = value }
      }
    }
  }

  private func open() throws -> ChatTemplateSet {
    let isFile = model.hasSuffix(".jinja") || model.hasSuffix(".json")
    if isFile { return try ChatTemplateSet(path: model) }
    if case .huggingFace(let folder) = try ModelLocation.resolve(model) {
      return try ChatTemplateSet(path: folder)
    }
    let files = try ModelFiles.open(model)
    guard let source = files.chatTemplate else {
      throw ModelError(.noChatTemplate, path: files.path)
    }
    return ChatTemplateSet(
      templates: [.init(name: "default", source: source)],
      tokens: files.storedTokenizer?.templateVariables ?? [:], path: files.path)
  }
}
