import ArgumentParser
import Foundation
import SparActivations
import SparHost
import SparModel
import SparPipeline
import SparStore

struct ActivationsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "activations",
    abstract: "Values inside a model for rows of texts: activations.h5.",
    discussion: """
      In: JSON lines, {"text": text}, or a prompt with a completion as `spar score` reads them: \
      prompt (text or messages), messages or prompt_ids, and completion or completion_ids; "id" \
      names a line. A list of messages goes through the chat template, all else is tokenised as it \
      is; nothing is appended.

      Out: one dataset [rows, channels] for each site and layer, with the place of each row in \
      row/sample, row/position and row/token. residual/0 is the embedding, residual/i the stream \
      after block i (blocks count from 1), before the final norm; attention/i and mlp/i are what \
      block i adds to it; logits are [rows, vocabulary].

      Stopped and started again, it goes on where it was. `spar generate`, `rank` and `train` \
      write the same file on the way with --capture.
      """)

  @Option(help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
  var model: String

  @Option(name: .shortAndLong, help: "JSON lines of texts.", completion: .file())
  var input: String

  @Option(help: "all, or layers from 0 (the embedding), such as 0,15,29 or 10-20.")
  var layers = "all"

  @Option(help: "Some of residual, attention, mlp, logits, with commas.")
  var sites = "residual"

  @Option(help: "Tokens of a text to keep: all, last, or completion.")
  var positions = "all"

  @Option(help: "f32 or f16.")
  var dtype = "f32"

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output = "activations.h5"

  @OptionGroup var storage: WeightsOption
  @OptionGroup var common: CommonOptions

  private struct Summary: Encodable {
    var output: String
    var texts: Int
    var rows: Int
    /// Texts that an earlier, interrupted run had left.
    var resumed: Int
    var bytes: Int
    var seconds: Double
  }

  func run() throws {
    let options = try CaptureChoice(
      layers: layers, sites: sites, positions: positions, dtype: dtype
    ).options()
    guard input != "-" else {
      throw UsageError(
        "--input is read twice, to go on where it was stopped; stdin cannot be",
        hint: "write the lines to a file")
    }
    var files = OutputFiles()
    files.reads("--input", input)
    files.reads("--model", model)
    try files.writes("--output", output)
    var count = 0
    try JSONLines(path: input).forEachLine { _ in count += 1 }
    guard count > 0 else { throw CaptureError.noTexts(path: input) }
    let digest = try fileDigest(input)
    let model = try common.runtime(storage).model(model)
    let capture = try ActivationCapture(
      model, options, inputs: ["texts", digest], output: output,
      record: ["stage": "activations", "input": .string(input), "input_digest": .string(digest)])
    let start = ContinuousClock.now
    let resumed = capture.isComplete ? count : capture.samples
    if !capture.isComplete { try read(count, model, capture) }
    let size = try ActivationsFile.size(output)
    let bytes = try FileManager.default.attributesOfItem(atPath: output)[.size] as? Int ?? 0
    let summary = Summary(
      output: output, texts: size.samples, rows: size.rows, resumed: resumed, bytes: bytes,
      seconds: (ContinuousClock.now - start) / .seconds(1))
    guard !common.json else { return try Terminal.json(summary) }
    try Terminal.line(
      "\(output): \(size.samples) texts, \(size.rows) rows, \(Figures.scaled(Double(bytes), "B"))"
        + (resumed > 0 ? "; \(resumed) texts were there already" : ""))
  }

  private func read(_ count: Int, _ model: LanguageModel, _ capture: ActivationCapture) throws {
    let line = ProgressLine()
    defer { line.finish() }
    // Writing the file takes about a tenth of the time; it compresses.
    var whole = RunProgress([
      .init(label: "activations", stage: "read", weight: 9),
      .init(label: "writing the file", stage: "write", weight: 1),
    ])
    func report(_ stage: String, _ done: Double, _ total: Double) {
      line.show(whole.snapshot(Progress(stage: stage, done: done, total: total, unit: "texts")))
    }
    let texts = TextCapture(capture, model)
    let resumed = texts.done
    var number = 0
    try JSONLines(path: input).forEachLine { data in
      defer { number += 1 }
      guard number >= resumed else { return }
      if Interrupts.interruption.isRequested {
        throw JSONLines.Through(cause: stopped(texts.done, count))
      }
      let row = try JSONDecoder().decode(TextRow.self, from: data)
      if capture.options.positions == .completion, !row.hasCompletion {
        throw TextRow.Problem(
          description: "it has no completion, of which --positions completion would keep the tokens"
        )
      }
      let (prompt, completion) = try row.ids(model)
      let text = CaptureGroup(
        index: number, prompt: prompt, answers: [.init(id: row.id ?? "\(number)", ids: completion)])
      do {
        try texts.add(text)
      } catch {
        throw JSONLines.Through(cause: error)
      }
      report("read", Double(texts.done - resumed), Double(count - resumed))
    }
    try texts.flush()
    whole.advance(bySkipping: false)
    try capture.finish { report("write", $0, 1) }
  }

  private func stopped(_ done: Int, _ count: Int) -> CaptureError {
    .cancelled(done: done, of: count, journal: output + ".journal")
  }
}
