import ArgumentParser
import SparModel

struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize", abstract: "Text to token ids, JSON lines in and out.",
    discussion: """
      In:  {"text": …}
      Out: {"ids": […]}
      """)

  @Option(
    help: ArgumentHelp(
      "Known name, Hugging Face folder, .gguf file or checkpoint; or tokenizer.json, "
        + "tokenizer.model alone."), completion: .file())
  var model: String

  @Option(name: .shortAndLong, help: "JSON lines; - for stdin.", completion: .file())
  var input = "-"

  @Flag(help: "Add the tokens that the tokenizer puts around a text, such as <s>.")
  var special = false

  private struct Row: Decodable {
    var text: String
  }

  func run() throws {
    let tokenizer = try TokenizerFiles.open(model)
    try JSONLines(path: input).forEach(Row.self) { row in
      try Terminal.json(["ids": tokenizer.encode(row.text, special: special)])
    }
  }
}
