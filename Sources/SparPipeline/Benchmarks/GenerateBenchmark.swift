import Foundation
import SparGeneration
import SparModel
import SparText

/// Tokens per second when `sequences` answers are decoded together.
public struct GenerateBenchmark: Sendable, Encodable {
  public var model: String
  public var backend: String
  public var threads: Int
  public var sequences: Int
  public var newTokens: Int
  public var promptTokens: Int
  /// Of all repetitions: decoded tokens over the time of the decoding steps.
  public var decodeMedian: Double
  public var decodeMinimum: Double
  public var decodeMaximum: Double
  /// Prompt tokens over the time of the prefill.
  public var prefillMedian: Double
  public var peakMemoryBytes: Int

  public static func run(
    _ model: LanguageModel, sequences: Int, newTokens: Int, repetitions: Int, threads: Int,
    progress: (Int) -> Void = { _ in }
  ) throws -> GenerateBenchmark {
    var options = GenerationOptions()
    options.pairs = 1
    options.batchSize = sequences
    options.maxNewTokens = newTokens
    options.ignoreEnd = true
    let prompts = (0..<sequences).map { index in
      Prompt(
        index: index, id: "\(index)",
        messages: [
          ChatMessage(role: "user", content: "Tell me a story about the number \(index).")
        ])
    }
    let stage = try GenerationStage(model, options, threads: threads)
    let output =
      NSTemporaryDirectory() + "spar-bench-\(ProcessInfo.processInfo.processIdentifier).h5"
    defer { unlink(output) }
    var decode: [Double] = []
    var prefill: [Double] = []
    var promptTokens = 0
    for repetition in 0...repetitions {
      let summary = try stage.run(prompts: prompts, source: "benchmark", output: output)
      progress(repetition)
      promptTokens = summary.prefilledTokens / sequences
      // The first repetition warms caches and the memory pool.
      guard repetition > 0 else { continue }
      decode.append(Double(summary.tokens - sequences) / summary.decodeSeconds)
      prefill.append(Double(summary.prefilledTokens) / summary.prefillSeconds)
    }
    decode.sort()
    prefill.sort()
    return GenerateBenchmark(
      model: model.path, backend: model.backend.name, threads: threads, sequences: sequences,
      newTokens: newTokens, promptTokens: promptTokens, decodeMedian: decode[decode.count / 2],
      decodeMinimum: decode[0], decodeMaximum: decode[decode.count - 1],
      prefillMedian: prefill[prefill.count / 2], peakMemoryBytes: PeakMemory.bytes())
  }
}
