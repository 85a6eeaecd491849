import ArgumentParser
import Foundation
import SparModel
import SparText

struct BenchTokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Encoding of a text on one core: as one string and line by line.")

  @Option(
    help: "Known name, folder, .gguf, checkpoint, tokenizer.json or tokenizer.model.",
    completion: .file())
  var model: String

  @Option(name: .shortAndLong, help: "A text file in UTF-8.", completion: .file())
  var input: String

  @Option(help: "How often each of the two is measured.")
  var repetitions = 3

  private struct Result: Encodable {
    var way: String
    var tokens: Int
    /// Of the text, in 10⁶ a second; the median and the extremes.
    var megabytesPerSecond: Double
    var minimum: Double
    var maximum: Double
  }

  func validate() throws {
    guard (1...1000).contains(repetitions) else {
      throw ValidationError("--repetitions is \(repetitions), expected 1…1000")
    }
  }

  func run() throws {
    let tokenizer = try TokenizerFiles.open(model)
    let text = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: input)), as: UTF8.self)
    let lines = text.utf8.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    let whole = measure("one string", text.utf8.count) { tokenizer.encode(text).count }
    let split = measure("line by line", text.utf8.count) {
      lines.reduce(0) { $0 + tokenizer.encode($1).count }
    }
    for result in [whole, split] { try Terminal.json(result) }
  }

  private func measure(_ way: String, _ bytes: Int, _ encode: () -> Int) -> Result {
    var tokens = 0
    let rates = (0..<repetitions).map { _ in
      let clock = ContinuousClock()
      let time = clock.measure { tokens = encode() }
      let seconds =
        Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
      return Double(bytes) / seconds / 1e6
    }.sorted()
    return Result(
      way: way, tokens: tokens, megabytesPerSecond: rates[rates.count / 2], minimum: rates[0],
      maximum: rates[rates.count - 1])
  }
}
