import Foundation
import SparStore
import SparTensor

extension LanguageModel {
  /// Writes the model as a folder that Hugging Face transformers loads: config.json,
  /// generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json, README.md.
  ///
  /// The weights are written last, so a folder with model.safetensors in it is complete.
  public func exportHuggingFace(to folder: String, type: WeightType = .f32, facts: [String] = [])
    throws
  {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func write(_ data: Data, _ name: String) throws {
      try data.write(to: URL(fileURLWithPath: folder + "/" + name), options: .atomic)
    }
    let dtype = [WeightType.f32: "float32", .f16: "float16", .bf16: "bfloat16"][type]
    try write(config.json(dtype: dtype ?? "float32"), "config.json")
    try write(tokenizer.tokenizerJSON(), "tokenizer.json")
    try write(
      tokenizer.tokenizerConfigJSON(chatTemplate: chatTemplate?.source), "tokenizer_config.json")
    var generation: [String: Any] = ["eos_token_id": endIDs.map(Int.init)]
    if let bos = tokenizer.bos { generation["bos_token_id"] = Int(bos) }
    try write(
      JSONSerialization.data(withJSONObject: generation, options: [.prettyPrinted, .sortedKeys]),
      "generation_config.json")
    try write(Data(card(facts).utf8), "README.md")
    try SafetensorsWriter.write(
      architecture.parameters.map { parameter in
        SafetensorsWriter.Tensor(
          name: parameter.name, type: type, shape: parameter.value.shape,
          lend: { body in
            try body(
              UnsafeBufferPointer(start: parameter.value.floats, count: parameter.value.count))
          })
      }, metadata: ["format": "pt"], to: folder + "/model.safetensors")
  }

  private func card(_ facts: [String]) -> String {
    let lines = [
      "# Exported by Spar", "",
      "- source: \((path as NSString).lastPathComponent)", "- weights digest: \(digest)",
      "- parameters: \(config.parameterCount)",
    ]
    return (lines + facts.map { "- " + $0 }).joined(separator: "\n") + "\n"
  }
}
