import Foundation
import SparStore

/// The checkpoints `step-N.h5` of one output folder.
struct CheckpointFolder {
  let path: String
  /// Newest checkpoints to keep; 0 = all.
  let keep: Int

  init(_ path: String, keep: Int) {
    self.path = path
    self.keep = keep
  }

  func file(step: Int) -> String { path + "/step-\(step).h5" }

  /// Steps that have a checkpoint, oldest first.
  func steps() throws -> [Int] {
    try FileManager.default.contentsOfDirectory(atPath: path).compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".h5") else { return nil }
      return Int(name.dropFirst(5).dropLast(3))
    }.sorted()
  }

  /// Removes what an interrupted write left behind; such files were never complete.
  func removeIncomplete() throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: path)
    where name.contains(".h5.tmp-") {
      try FileManager.default.removeItem(atPath: path + "/" + name)
    }
  }

  /// The newest checkpoint that can be read, or nil where there is none at all.
  ///
  /// A damaged file is passed over, since an older one may be whole; when none is, that is an
  /// error: a run must not silently start anew where work was done.
  func newest() throws -> CheckpointFile? {
    var problems: [String] = []
    for step in try steps().reversed() {
      do {
        return try CheckpointFile(file(step: step))
      } catch {
        problems.append("\(error)")
      }
    }
    if problems.isEmpty { return nil }
    throw TrainingError.noUsableCheckpoint(folder: path, problems: problems)
  }

  // MARK: - Writing

  /// Writes the checkpoint of `state`, then removes what is beyond the limit; returns its path.
  @discardableResult
  func save(
    _ state: TrainingState, optimizer: Optimizer, model: TrainableModel, identity: RunIdentity,
    seed: UInt64, dataPosition: Int
  ) throws -> String {
    let target = file(step: state.step)
    var attributes: [String: AttributeValue] = [
      "trainer_state": .string(try Self.json(state))
    ]
    if let tokenizer = model.texts.tokenizerConfig {
      attributes["tokenizer_config_json"] = .string(tokenizer)
    }
    let header = CheckpointHeader(
      step: state.step, seed: seed, dataPosition: dataPosition, configJSON: model.texts.config,
      tokenizerJSON: model.texts.tokenizer, chatTemplate: model.texts.chatTemplate,
      trainingConfigJSON: try Self.json(identity),
      attributes: attributes)
    try CheckpointFile.write(to: target, header) { writer in
      for parameter in optimizer.parameters {
        let value = parameter.value
        try writer.parameter(
          parameter.name, shape: value.shape,
          UnsafeBufferPointer(start: value.floats, count: value.count))
      }
      for (kind, name, tensor) in optimizer.state {
        try writer.optimizer(
          kind, name, shape: tensor.shape,
          UnsafeBufferPointer(start: tensor.floats, count: tensor.count))
      }
    }
    if keep > 0 {
      for step in try steps().dropLast(keep) where step != state.step {
        try FileManager.default.removeItem(atPath: file(step: step))
      }
    }
    return target
  }

  // MARK: - Reading

  /// Puts a checkpoint's parameters and optimizer state in place.
  func load(
    _ checkpoint: CheckpointFile, into optimizer: Optimizer, expecting identity: RunIdentity
  ) throws -> TrainingState {
    let saved: RunIdentity = try Self.decode(
      checkpoint.header.trainingConfigJSON, of: checkpoint, "training_config_json")
    if let found = saved.difference(from: identity) {
      throw TrainingError.resumeMismatch(
        checkpoint: checkpoint.path, key: found.key, saved: found.here, now: found.there)
    }
    var text: String?
    if case .string(let json)? = checkpoint.header.attributes["trainer_state"] { text = json }
    let state: TrainingState = try Self.decode(text, of: checkpoint, "trainer_state")
    guard state.step == checkpoint.header.step else {
      throw TrainingError.checkpointTensor(
        checkpoint: checkpoint.path, tensor: "step",
        problem: "is \(checkpoint.header.step), the trainer's state says \(state.step)")
    }
    for parameter in optimizer.parameters {
      let shape = try checkpoint.shape(ofParameter: parameter.name)
      guard shape == parameter.value.shape else {
        throw TrainingError.checkpointTensor(
          checkpoint: checkpoint.path, tensor: parameter.name,
          problem: "has shape \(shape), the model's is \(parameter.value.shape)")
      }
      let value = parameter.value
      try checkpoint.readParameter(
        parameter.name, into: UnsafeMutableBufferPointer(start: value.floats, count: value.count))
    }
    for (kind, name, tensor) in optimizer.state {
      try checkpoint.readOptimizer(
        kind, name, into: UnsafeMutableBufferPointer(start: tensor.floats, count: tensor.count))
    }
    return state
  }

  // MARK: - JSON

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func decode<Value: Decodable>(
    _ json: String?, of checkpoint: CheckpointFile, _ name: String
  ) throws -> Value {
    guard let json else {
      throw TrainingError.checkpointTensor(
        checkpoint: checkpoint.path, tensor: name,
        problem: "is missing: this is a model to start from, not a run to resume")
    }
    do {
      return try JSONDecoder().decode(Value.self, from: Data(json.utf8))
    } catch {
      throw TrainingError.checkpointTensor(
        checkpoint: checkpoint.path, tensor: name, problem: "cannot be read: \(error)")
    }
  }
}
