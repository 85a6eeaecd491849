import Foundation
import SparHost
import SparModel
import SparTensor
import SparTraining

/// Speed and memory of real optimizer steps: packed groups of one prompt and two answers, through
/// the trainer that `spar train` uses.
public struct TrainBenchmark: ProductShare, Sendable, Encodable {
  public var model: String
  public var backend: String
  public var objective: String
  public var threads: Int
  public var parameters: Int
  public var groupsPerStep: Int
  public var tokensPerGroup: Int
  /// Packed tokens per second: median, least and most of the steps.
  public var median: Double
  public var minimum: Double
  public var maximum: Double
  /// GFLOP/s of a square product of 2048 before and after the steps.
  public var sgemmBefore: Double
  public var sgemmAfter: Double
  public var peakMemoryBytes: Int

  /// GFLOP/s counting 6 N per token.
  public var rate: Double { 6 * Double(parameters) * median / 1e9 }

  public static func run(
    _ model: LanguageModel, objective: Objective, groupsPerStep: Int, steps: Int, threads: Int,
    progress: ProgressHandler = { _ in }
  ) throws -> TrainBenchmark {
    let before = try GemmBenchmark.squareRate(model.backend)
    let (prompt, answer) = (50, 151)
    let groups = (0..<(groupsPerStep * (steps + 1))).map { index in
      group(index, prompt: prompt, answer: answer, vocabulary: model.config.vocabularySize)
    }
    var options = TrainingOptions()
    options.perDeviceBatch = groupsPerStep
    options.loggingSteps = 1
    options.saveSteps = 0
    let output =
      NSTemporaryDirectory() + "spar-bench-\(ProcessInfo.processInfo.processIdentifier)"
    defer { removeFolder(output) }
    let trainer = try Trainer(
      TrainableModel(model), objective: objective, groups: groups, options: options,
      output: output)
    let result = try trainer.run(progress: progress)
    // The first step warms caches and the memory pool.
    let rates = result.history.dropFirst().compactMap { $0.values["perf/tokens_per_s"] }.sorted()
    return TrainBenchmark(
      model: model.path, backend: model.backend.name, objective: objective.component.id,
      threads: threads, parameters: model.config.parameterCount, groupsPerStep: groupsPerStep,
      tokensPerGroup: groups.first?.rows ?? 0, median: rates[rates.count / 2], minimum: rates[0],
      maximum: rates[rates.count - 1], sgemmBefore: before,
      sgemmAfter: try GemmBenchmark.squareRate(model.backend), peakMemoryBytes: PeakMemory.bytes())
  }

  /// Random tokens with reference log-probabilities given, so that only steps are measured.
  private static func group(
    _ index: Int, prompt: Int, answer: Int, vocabulary: Int
  ) -> TrainingGroup {
    var random = Random(seed: 1, stage: .initialise, item: index)
    func ids(_ count: Int) -> [Int32] {
      (0..<count).map { _ in Int32(random.next() % UInt64(vocabulary)) }
    }
    let prompt = ids(prompt)
    let answers = [1, -1].map { label in
      TrainingAnswer(
        ids: ids(answer), refLogp: -10 * Double(answer), winProb: label > 0 ? 0.8 : 0.2,
        meanScore: Double(label), label: Int8(label))
    }
    return TrainingGroup(promptIDs: prompt, answers: answers)
  }

  private static func removeFolder(_ path: String) {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      FileHandle.standardError.write(Data("spar: cannot remove \(path): \(error)\n".utf8))
    }
  }
}
