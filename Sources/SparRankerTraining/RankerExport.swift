import Foundation
import SparCompute
import SparModel
import SparStore
import SparTensor

extension RankerModel {
  /// Writes the ranker as a Hugging Face folder: the transformer's tensors under their names, and
  /// `value_head.weight` and `prompt_head.weight` as in the authors' checkpoints.
  ///
  /// `spar_ranker` in config.json says how the heads are used, so that a ranker made here cannot be
  /// used otherwise by mistake.  The weights are written last.
  func export(to folder: String, options: RankerTrainingOptions, best: Int?) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func write(_ data: Data, _ name: String) throws {
      try AtomicFile.writeBytes(to: folder + "/" + name, doing: "writing the ranker") { sink in
        try data.withUnsafeBytes { try sink.write($0) }
      }
    }
    let tokenizer = try backbone.tokenizer
    try write(try config(options), "config.json")
    try write(tokenizer.tokenizerJSON(), "tokenizer.json")
    try write(
      tokenizer.tokenizerConfigJSON(chatTemplate: backbone.chatTemplate?.source),
      "tokenizer_config.json")
    try write(Data(card(options, best: best).utf8), "README.md")
    let tensors = backbone.architecture.parameters + headParameters.filter { $0 !== tau }
    try SafetensorsWriter.write(
      tensors.map { parameter in
        SafetensorsWriter.Tensor(
          name: parameter.name, type: .f32, shape: parameter.value.shape,
          lend: { body in
            try body(
              UnsafeBufferPointer(start: parameter.value.floats, count: parameter.value.count))
          })
      }, to: folder + "/model.safetensors")
  }

  private func config(_ options: RankerTrainingOptions) throws -> Data {
    let own = try JSONSerialization.jsonObject(with: try backbone.config.json())
    var object = own as? [String: Any] ?? [:]
    object["value_head_dim"] = head.dimension
    object["add_prompt_head"] = prompt != nil
    object["is_general_preference"] = head.kind == .gpm
    object["spar_ranker"] =
      [
        "kind": head.kind.rawValue, "gate": head.gate.rawValue, "l2": head.normalises,
        "tau": temperature(options.loss), "text": "template",
      ] as [String: Any]
    return try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
  }

  private func card(_ options: RankerTrainingOptions, best: Int?) -> String {
    var facts = [
      "a ranker of kind \(head.kind.rawValue): value head "
        + "[\(head.dimension), \(backbone.config.hiddenSize)] on "
        + (backbone.path as NSString).lastPathComponent,
      "trained: \(options.scope.rawValue); learning rate \(options.training.learningRate), "
        + "batch \(options.training.batchSize), epochs \(options.training.epochs), "
        + "seed \(options.training.seed)",
      "loss: \(options.loss.form.rawValue), tau \(temperature(options.loss))",
    ]
    if let best { facts.append("best validation loss at step \(best)") }
    return (["# A ranker made by Spar", ""] + facts.map { "- " + $0 }).joined(separator: "\n")
      + "\n"
  }
}
