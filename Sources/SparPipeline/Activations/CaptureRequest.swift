import Foundation
import SparActivations
import SparGeneration
import SparModel
import SparStore

/// A capture on the side of a stage: what the stage works on is also run for its activations.
///
/// The passes are the capture's own, after the stage's work and apart from it: what the stage
/// computes does not change by a bit.
public struct CaptureRequest: Sendable {
  public var output: String
  public var options: CaptureOptions
  public var rows: CaptureRows

  public init(output: String, options: CaptureOptions, rows: CaptureRows) {
    self.output = output
    self.options = options
    self.rows = rows
  }
}

/// A capture that cannot be made or was stopped.
public enum CaptureError: Error, Equatable, CustomStringConvertible {
  case cancelled(done: Int, of: Int, journal: String)
  case noTexts(path: String)
  case nothingChosen(path: String, why: String)
  case missedSteps([Int], at: Int, output: String)
  case noLanguageModel(ranker: String)

  public var description: String {
    switch self {
    case .cancelled(let done, let count, let journal):
      return "stopped after \(done) of \(count) texts (finished ones are noted in \(journal))"
    case .noTexts(let path): return "\(path) holds no text; each line is a JSON object"
    case .nothingChosen(let path, let why):
      return "none of the rows to capture is in \(path): \(why)"
    case .missedSteps(let steps, let step, let output):
      let list =
        steps.prefix(3).map(String.init).joined(separator: ", ")
        + (steps.count > 3 ? " and \(steps.count - 3) more" : "")
      return "training goes on from step \(step), but the activations of step \(list) were not "
        + "captured when it passed there; train into another output_dir, or without --capture "
        + "\(output)"
    case .noLanguageModel(let ranker):
      return "ranker \(ranker) scores with no language model of ours, so there are no "
        + "activations to capture"
    }
  }
}

/// Captures the answers of chosen prompts while they are generated.
public final class GenerationCapture {
  private let request: CaptureRequest
  private let model: LanguageModel
  private let capture: ActivationCapture

  public init(
    _ request: CaptureRequest, model: LanguageModel, options: GenerationOptions,
    prompts: [Prompt], source: String
  ) throws {
    self.request = request
    self.model = model
    let shard = prompts[options.shardRows(of: prompts.count)].map(\.index)
    let chosen = shard.filter(request.rows.contains)
    guard !chosen.isEmpty else {
      throw CaptureError.nothingChosen(path: source, why: "they are in another shard")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var settings = options
    settings.batchSize = 1
    let sampling = String(decoding: try encoder.encode(settings), as: UTF8.self)
    capture = try ActivationCapture(
      model, request.options,
      inputs: ["generate", sampling, try fileDigest(source), "\(chosen)"], output: request.output,
      record: ["stage": "generate", "prompts": .string(source)])
  }

  /// Takes the finished answers of one prompt, if it is chosen.
  public func add(_ prompt: Prompt, ids: [Int32], answers: [CandidateAnswer]) throws {
    guard request.rows.contains(prompt.index) else { return }
    let group = CaptureGroup(
      index: prompt.index, prompt: ids,
      answers: answers.enumerated().map { number, answer in
        .init(id: "\(prompt.id)/\(number)", number: number, ids: answer.ids)
      })
    try capture.add([group], order: prompt.index, under: model)
  }

  public func finish() throws { try capture.finish() }
}
