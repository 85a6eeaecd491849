import Foundation
import SparHost
import SparModel
import SparStore
import SparText
import SparTraining

/// Rankers of several kinds, trained on the same circles of preferences with several seeds.
///
/// Each cell (ranker, length, seed) is kept as soon as it is done; the same settings go on where
/// they were stopped, others begin anew.
public struct RankerComparison {
  /// One kind of ranker.
  public struct Arm: Equatable, Sendable, Codable {
    public var name: String
    /// Heads only; the seed is the cell's.
    public var options: RankerTrainingOptions

    public init(name: String, options: RankerTrainingOptions) {
      self.name = name
      self.options = options
    }
  }

  /// What one training came to.
  public struct Cell: Equatable, Sendable, Codable {
    public var arm: String
    public var length: Int
    public var seed: UInt64
    /// Share of the comparisons that were trained on with s(chosen ≻ rejected) > 0.
    public var accuracy: Double
    /// Loss of the last logged step.
    public var loss: Double?
    public var steps: Int
  }

  public var arms: [Arm]
  /// Answers of a circle.
  public var lengths: [Int]
  /// Circles of each cell.
  public var circles: Int
  public var seeds: [UInt64]

  public init(arms: [Arm], lengths: [Int], circles: Int, seeds: [UInt64]) {
    (self.arms, self.lengths, self.circles, self.seeds) = (arms, lengths, circles, seeds)
  }

  /// Trains what is not done yet in `folder`; the cells come arm by arm, then length, then seed.
  public func run(
    _ model: LanguageModel, folder: String, progress: ProgressHandler = { _ in },
    isCancelled: @escaping () -> Bool = { false }
  ) throws -> [Cell] {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let journal = try Journal(
      path: folder + "/cells.jsonl", key: try key(model), keepsOthers: false)
    var cells = try journal.resumed.map { try JSONDecoder().decode(Cell.self, from: $0) }
    let total = arms.count * lengths.count * seeds.count
    func show(_ detail: String) {
      progress(
        SparHost.Progress(
          stage: "compare-rankers", done: Double(cells.count), total: Double(total),
          unit: "trainings", detail: detail))
    }
    var ordered: [Cell] = []
    for arm in arms {
      for length in lengths {
        for seed in seeds {
          let known = cells.first { $0.arm == arm.name && $0.length == length && $0.seed == seed }
          if let known {
            ordered.append(known)
            continue
          }
          show("\(arm.name), circles of \(length), seed \(seed)")
          let cell = try train(
            arm, CyclicPreferences(length: length, circles: circles, seed: seed), model,
            folder: folder + "/training", isCancelled: isCancelled)
          let encoder = JSONEncoder()
          encoder.outputFormatting = .sortedKeys
          try journal.append(try encoder.encode(cell))
          cells.append(cell)
          ordered.append(cell)
        }
      }
    }
    show("done")
    return ordered
  }

  private func train(
    _ arm: Arm, _ preferences: CyclicPreferences, _ model: LanguageModel, folder: String,
    isCancelled: @escaping () -> Bool
  ) throws -> Cell {
    func clear() throws {
      if FileManager.default.fileExists(atPath: folder) {
        try FileManager.default.removeItem(atPath: folder)
      }
    }
    // What a killed cell left is of no use to the next one.
    try clear()
    var options = arm.options
    options.training.seed = preferences.seed
    var data = RankerData()
    let encoder = RankerEncoder(model, maxLength: options.maxLength)
    for (number, row) in preferences.comparisons.enumerated() {
      let outcome = try encoder.add(
        prompt: [ChatMessage(role: "user", content: row.prompt)], chosen: row.chosen,
        rejected: row.rejected, place: "comparison \(number + 1)", to: &data)
      guard outcome == .added else {
        throw RankerTrainingError.option(
          key: "max_len", found: "\(options.maxLength)",
          wanted: "enough for \"\(row.prompt)\" and an answer")
      }
    }
    let trainer = try RankerTrainer(
      model, data: data, dataDigest: "circles \(preferences)", options: options, output: folder,
      exports: false)
    let result: RankerTrainingResult
    let right: Int
    do {
      result = try trainer.run(isCancelled: isCancelled)
      right = try trainer.scores(of: data, isCancelled: isCancelled).count { $0.first > 0 }
    } catch RankerTrainingError.cancelled(let step, _) {
      // Cells that are done are kept, not half a cell: it takes seconds.
      try clear()
      throw RankerTrainingError.cancelled(step: step, checkpoint: nil)
    }
    try clear()
    return Cell(
      arm: arm.name, length: preferences.length, seed: preferences.seed,
      accuracy: Double(right) / Double(data.pairs.count),
      loss: result.history.last?.values["loss"], steps: result.steps)
  }

  /// Names the settings that a cell depends on; the seeds and lengths are in the cell itself.
  private func key(_ model: LanguageModel) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var digest = SHA256()
    digest.update([UInt8](try encoder.encode(arms)))
    digest.update([UInt8]("\(circles) \(model.digest) \(model.backend.name)".utf8))
    return digest.hexDigest()
  }
}
