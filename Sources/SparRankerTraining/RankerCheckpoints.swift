import Foundation
import SparCompute
import SparStore
import SparTensor
import SparTraining

/// What a run must remember beside its tensors.
struct RankerTrainingState: Codable, Equatable {
  /// Optimizer steps done.
  var step = 0
  var window = RankerObjective.Outcome()
  /// EMA of the loss, 0.9 old and 0.1 new, as the authors' code logs it.
  var meanLoss = 0.0
  var best: Best?

  /// The best validation so far.
  struct Best: Codable, Equatable {
    var step: Int
    var loss: Double
    var accuracy: Double
  }
}

/// Checkpoints of what is trained: `ranker-step-N.h5` to go on from, `ranker-best.h5` by validation.
struct RankerCheckpoints {
  let folder: String
  let identity: RunIdentity
  let configJSON: String
  let seed: UInt64

  var best: String { folder + "/ranker-best.h5" }

  private func file(_ step: Int) -> String { folder + "/ranker-step-\(step).h5" }

  private func steps() throws -> [Int] {
    try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name in
      guard name.hasPrefix("ranker-step-"), name.hasSuffix(".h5") else { return nil }
      return Int(name.dropFirst(12).dropLast(3))
    }.sorted()
  }

  /// Writes the newest checkpoint and removes older ones; returns its path.
  func save(_ state: RankerTrainingState, _ optimizer: Optimizer) throws -> String {
    let path = file(state.step)
    try write(path, state, optimizer.parameters, optimizer.state)
    for step in try steps() where step != state.step {
      try FileManager.default.removeItem(atPath: file(step))
    }
    return path
  }

  func saveBest(_ state: RankerTrainingState, _ parameters: [Parameter]) throws {
    try write(best, state, parameters, [])
  }

  private func write(
    _ path: String, _ state: RankerTrainingState, _ parameters: [Parameter],
    _ optimizer: [(kind: String, name: String, tensor: Tensor)]
  ) throws {
    let header = CheckpointHeader(
      step: state.step, seed: seed, dataPosition: 0, configJSON: configJSON,
      trainingConfigJSON: try Self.json(identity),
      attributes: ["trainer_state": .string(try Self.json(state))])
    try CheckpointFile.write(to: path, header) { writer in
      for parameter in parameters {
        try writer.parameter(
          parameter.name, shape: parameter.value.shape,
          UnsafeBufferPointer(start: parameter.value.floats, count: parameter.value.count))
      }
      for (kind, name, tensor) in optimizer {
        try writer.optimizer(
          kind, name, shape: tensor.shape,
          UnsafeBufferPointer(start: tensor.floats, count: tensor.count))
      }
    }
  }

  /// Puts the newest checkpoint in place; nil where there is none.
  func resume(_ optimizer: Optimizer) throws -> RankerTrainingState? {
    guard let newest = try steps().last else { return nil }
    let checkpoint = try CheckpointFile(file(newest))
    let state = try load(checkpoint, into: optimizer.parameters)
    for (kind, name, tensor) in optimizer.state {
      try checkpoint.readOptimizer(
        kind, name, into: UnsafeMutableBufferPointer(start: tensor.floats, count: tensor.count))
    }
    return state
  }

  /// Puts the best parameters in place.
  func loadBest(into parameters: [Parameter]) throws {
    _ = try load(CheckpointFile(best), into: parameters)
  }

  private func load(
    _ checkpoint: CheckpointFile, into parameters: [Parameter]
  ) throws -> RankerTrainingState {
    guard let text = checkpoint.header.trainingConfigJSON,
      case .string(let stateText)? = checkpoint.header.attributes["trainer_state"]
    else {
      throw RankerTrainingError.checkpoint(
        path: checkpoint.path, problem: "holds no training settings")
    }
    let saved = try JSONDecoder().decode(RunIdentity.self, from: Data(text.utf8))
    if let found = saved.difference(from: identity) {
      throw RankerTrainingError.resumeMismatch(
        checkpoint: checkpoint.path, key: found.key, saved: found.here, now: found.there)
    }
    for parameter in parameters {
      guard try checkpoint.shape(ofParameter: parameter.name) == parameter.value.shape else {
        throw RankerTrainingError.checkpoint(
          path: checkpoint.path, problem: "has another shape of \(parameter.name)")
      }
      try checkpoint.readParameter(
        parameter.name,
        into: UnsafeMutableBufferPointer(
          start: parameter.value.floats, count: parameter.value.count))
    }
    return try JSONDecoder().decode(RankerTrainingState.self, from: Data(stateText.utf8))
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
