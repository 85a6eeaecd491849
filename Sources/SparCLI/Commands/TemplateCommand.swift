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
      In:  {"messages": […], "add_generation_prompt": true, "variables": {…}}
      Out: {"rendered": …}, or {"error": …} when the template refuses the conversation.

      add_generation_prompt is false unless given. variables override the model's bos_token, \
      eos_token, … and may hold tools or documents.
      """)

  @Option(help: "A model, or a template's file that ends with .jinja.", completion: .file())
  var model: String

  @Option(name: .shortAndLong, help: "JSON lines; - for stdin.", completion: .file())
  var input = "-"

  private struct Problem: Error, CustomStringConvertible {
    var description: String
  }

  func run() throws {
    let (template, roles) = try open()
    try JSONLines(path: input).forEachLine { line in
      // The order of members is kept: templates may print them.
      guard case .dictionary(let row) = try JinjaValue(jsonText: line, name: "the line") else {
        throw Problem(description: "not a JSON object")
      }
      guard let messages = row["messages"], case .list = messages else {
        throw Problem(description: "\"messages\" must be a list")
      }
      var variables = roles
      switch row["variables"] ?? .none {
      case .none: break
      case .dictionary(let given):
        for (key, value) in zip(given.keys, given.values) {
          if case .string(let name) = key { variables[name] = value }
        }
      default: throw Problem(description: "\"variables\" must be an object")
      }
      var isAsking = false
      switch row["add_generation_prompt"] ?? .none {
      case .none: break
      case .boolean(let given): isAsking = given
      default: throw Problem(description: "\"add_generation_prompt\" must be true or false")
      }
      do {
        try Terminal.json([
          "rendered": template.render(
            messages, addGenerationPrompt: isAsking, variables: variables)
        ])
      } catch let error as JinjaError {
        try Terminal.json(["error": error.what])
      }
    }
  }

  private func open() throws -> (ChatTemplate, [String: JinjaValue]) {
    if model.hasSuffix(".jinja") {
      let source = try String(contentsOfFile: model, encoding: .utf8)
      return (try ChatTemplate(source: source, name: model), [:])
    }
    let files = try ModelFiles.open(model)
    guard let source = files.chatTemplate else {
      throw ModelError(.noChatTemplate, path: files.path)
    }
    var roles: [String: JinjaValue] = [:]
    let tokenizer = files.tokenizer
    for (name, token) in [
      ("bos_token", tokenizer.bosToken), ("eos_token", tokenizer.eosToken),
      ("pad_token", tokenizer.padToken), ("unk_token", tokenizer.unkToken),
    ] {
      if let token { roles[name] = .string(token) }
    }
    return (try ChatTemplate(source: source, name: files.path), roles)
  }
}
