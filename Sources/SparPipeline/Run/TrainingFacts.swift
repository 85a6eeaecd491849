import Foundation
import SparModel
import SparStore

/// How a checkpoint was made, for the card of the exported model.
public struct TrainingFacts: Sendable {
  /// As the run named it; nil where there is no run.json above the checkpoint.
  public var baseModel: String?
  public var rows: [(name: String, value: String)] = []

  /// Settings that a reader of a card asks for, and what the card calls them.
  private static let shown = [
    ("objective", "objective"), ("optimizer", "optimizer"), ("learningRate", "learning rate"),
    ("schedule", "schedule"), ("epochs", "epochs"), ("perDeviceBatch", "prompts per batch"),
    ("accumulationSteps", "batches per step"), ("pairing", "pairing"), ("seed", "seed"),
    ("data", "digest of the data"), ("model", "digest of the weights before"),
  ]

  /// - Parameter checkpoint: nil for a model that was not trained by Spar.
  public init(_ checkpoint: CheckpointFile?) throws {
    guard let checkpoint, let json = checkpoint.header.trainingConfigJSON else { return }
    let identity = try JSONDecoder().decode(Identity.self, from: Data(json.utf8))
    rows.append(("optimizer steps", "\(checkpoint.header.step)"))
    for (key, name) in Self.shown {
      if let value = identity.values[key] { rows.append((name, value)) }
    }
    for (key, value) in identity.values.sorted(by: { $0.key < $1.key })
    where key.hasPrefix("objective.") {
      rows.append((String(key.dropFirst(10)), value))
    }
    try addRun(above: checkpoint.path)
  }

  private struct Identity: Decodable {
    var values: [String: String]
  }

  /// <run>/iteration-t/train/step-N.h5 lies below <run>/run.json.
  private mutating func addRun(above path: String) throws {
    var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    for _ in 0..<3 {
      let name = folder.lastPathComponent
      if name.hasPrefix("iteration-") { rows.append(("iteration", String(name.dropFirst(10)))) }
      let record = folder.appendingPathComponent("run.json").path
      if FileManager.default.fileExists(atPath: record) {
        let run = try RunRecord.read(record)
        baseModel = run.settings["model"]?.value
        for (key, name) in [
          ("ranker.name", "ranker"), ("iterations", "iterations of the run"),
          ("generate.pairs", "answers per prompt"),
        ] {
          if let value = run.settings[key]?.value { rows.append((name, value)) }
        }
        return
      }
      folder.deleteLastPathComponent()
    }
  }
}
