import Foundation
import RankerFixtures
import SparCompute
import SparModel

/// Lays the golden tiny Llama (160 ids) into `folder`, with a tokenizer of one id per ASCII
/// character and a template of one line per turn.
func layTinyModel(_ golden: String, in folder: String) throws {
  for name in ["config.json", "model.safetensors"] {
    try FileManager.default.copyItem(
      atPath: "\(golden)/golden/models/llama/\(name)", toPath: "\(folder)/\(name)")
  }
  var vocabulary = ["<pad>": 0, "<s>": 1, "</s>": 2, "Ġ": 3, "Ċ": 4]
  for byte in 33...126 as ClosedRange<UInt8> {
    vocabulary[String(UnicodeScalar(byte))] = vocabulary.count
  }
  try layTokenizer(
    in: folder, added: ["<pad>", "<s>", "</s>"].map { AddedToken($0, isSpecial: true) },
    vocabulary: vocabulary)
  try writeJSON(
    [
      "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
      "chat_template":
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}",
    ], to: folder + "/tokenizer_config.json")
}

extension LanguageModel {
  /// log p(answer | prompt) with one plain sequence, no sharing, no packing.
  func plainSum(prompt: [Int32], answer: [Int32]) throws -> Double {
    var batch = PackedBatch()
    batch.append(prompt + answer.dropLast())
    let graph = Graph(backend)
    let hidden = try architecture.hidden(batch, graph, cached: nil)
    let rows = try graph.gather(
      hidden, rows: (0..<answer.count).map { Int32(prompt.count - 1 + $0) })
    let logps = try graph.linearLogp(rows, architecture.head, targets: answer).value.array()
    return logps.reduce(0) { $0 + Double($1) }
  }
}
