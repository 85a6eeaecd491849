import Foundation
import SparStore

/// Where training says how it goes: metrics.jsonl, trainer_state.json and a TensorBoard folder.
package final class MetricsLog {
  private let path: String
  private let statePath: String
  private let folder: String
  private var events: EventFile?
  private let handle: FileHandle
  package private(set) var history: [TrainingLogEntry]

  /// Opens the log of a run that goes on after `step`: later lines, which the run will write
  /// again, are dropped.
  package init(folder: String, resumingAfter step: Int) throws {
    self.folder = folder
    path = folder + "/metrics.jsonl"
    statePath = folder + "/trainer_state.json"
    history = try Self.read(path).filter { $0.step <= step }
    let kept = try history.map { try Self.line($0) }.joined()
    try AtomicFile.writeBytes(to: path, doing: "writing the metrics") { try $0.write(kept) }
    handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.seekToEnd()
    events = try EventFile(
      directory: folder + "/runs/" + Self.runName(), resumeStep: step > 0 ? step : nil)
  }

  package func append(_ entry: TrainingLogEntry) throws {
    history.append(entry)
    try handle.write(contentsOf: Data(try Self.line(entry).utf8))
    try events?.write(
      Dictionary(uniqueKeysWithValues: entry.values.map { ("train/" + $0.key, $0.value) }),
      step: entry.step)
  }

  /// trainer_state.json as Hugging Face's Trainer writes it, as far as it applies.
  func writeState(step: Int, plan: StepPlan, options: TrainingOptions) throws {
    let state = TrainerState(
      epoch: plan.epoch(step), globalStep: step, maxSteps: plan.total,
      numTrainEpochs: options.epochs, loggingSteps: options.loggingSteps,
      saveSteps: options.saveSteps, trainBatchSize: options.perDeviceBatch,
      logHistory: history.map { entry in
        entry.values.merging(["step": Double(entry.step)]) { first, _ in first }
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let data = try encoder.encode(state)
    try AtomicFile.writeBytes(to: statePath, doing: "writing the trainer's state") { sink in
      try data.withUnsafeBytes { try sink.write($0) }
    }
  }

  /// Field names in the file have underscores.
  private struct TrainerState: Encodable {
    var epoch: Double
    var globalStep: Int
    var maxSteps: Int
    var numTrainEpochs: Double
    var loggingSteps: Int
    var saveSteps: Int
    var trainBatchSize: Int
    var logHistory: [[String: Double]]
  }

  package func close() throws {
    try handle.close()
    try events?.close()
    events = nil
  }

  // MARK: - Lines

  /// Reads metrics.jsonl; [] when there is none.  A last line without its end is what a killed
  /// run leaves, and is not read.
  static func read(_ path: String) throws -> [TrainingLogEntry] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    lines.removeLast()
    return try lines.enumerated().map { index, line in
      do {
        let values = try JSONDecoder().decode([String: Double].self, from: Data(line))
        guard let step = values["global_step"] else {
          throw TrainingError.metricsFile(path: path, problem: "no global_step")
        }
        return TrainingLogEntry(step: Int(step), values: values)
      } catch {
        throw TrainingError.metricsFile(
          path: path, problem: "line \(index + 1) is not a log line (\(error)); move the file away")
      }
    }
  }

  private static func line(_ entry: TrainingLogEntry) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(entry.values), as: UTF8.self) + "\n"
  }

  /// "Nov22_20-41-07_host", as Hugging Face names the folder.
  private static func runName() -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "MMMdd_HH-mm-ss"
    return format.string(from: Date()) + "_" + ProcessInfo.processInfo.hostName
  }
}
