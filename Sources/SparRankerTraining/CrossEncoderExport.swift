import Foundation
import SparCompute
import SparModel
import SparStore
import SparTensor

extension CrossEncoder {
  /// Writes the ranker as a folder with LLM-Blender's names, which `pairrm` reads: the encoder's
  /// tensors behind "pretrained_model.", the head's "head_layer.…".  The weights are written last.
  func export(to folder: String, options: RankerTrainingOptions, best: Int?) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func write(_ data: Data, _ name: String) throws {
      try AtomicFile.writeBytes(to: folder + "/" + name, doing: "writing the ranker") { sink in
        try data.withUnsafeBytes { try sink.write($0) }
      }
    }
    try write(try config(), "config.json")
    try write(tokenizer.tokenizerJSON(), "tokenizer.json")
    try write(tokenizer.tokenizerConfigJSON(chatTemplate: nil), "tokenizer_config.json")
    try write(Data(card(options, best: best).utf8), "README.md")
    let encoder = model.encoder.parameters
    let words = "embeddings.word_embeddings.weight"
    let prefix = encoder.first { $0.name.hasSuffix(words) }?.name.dropLast(words.count).count ?? 0
    let named =
      encoder.map { ("pretrained_model." + $0.name.dropFirst(prefix), $0.value) }
      + head.map { ($0.name, $0.value) }
    try SafetensorsWriter.write(
      named.map { name, value in
        SafetensorsWriter.Tensor(
          name: name, type: .f32, shape: value.shape,
          lend: { body in
            try body(UnsafeBufferPointer(start: value.floats, count: value.count))
          })
      }, to: folder + "/model.safetensors")
  }

  /// The encoder's config, with the ranker's own settings as LLM-Blender names them.
  private func config() throws -> Data {
    let own = try JSONSerialization.jsonObject(with: Data(model.configJSON.utf8))
    var object = own as? [String: Any] ?? [:]
    object["ranker_type"] = "pairranker"
    object["n_tasks"] = 1
    object["source_maxlength"] = input.sourceMaxLength
    object["candidate_maxlength"] = input.candidateMaxLength
    return try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
  }

  private func card(_ options: RankerTrainingOptions, best: Int?) -> String {
    var facts = [
      "a cross-encoder with PairRM's head on " + (model.path as NSString).lastPathComponent,
      "trained: \(options.scope.rawValue); learning rate \(options.training.learningRate), "
        + "batch \(options.training.batchSize), epochs \(options.training.epochs), "
        + "seed \(options.training.seed)",
      "loss: \(options.loss.form.rawValue), tau \(options.loss.tau)",
      "prompts of \(input.sourceMaxLength) tokens, answers of \(input.candidateMaxLength) beside them",
    ]
    if let best { facts.append("best validation loss at step \(best)") }
    return (["# A ranker made by Spar", ""] + facts.map { "- " + $0 }).joined(separator: "\n")
      + "\n"
  }
}
