import Foundation
import SparCompute
import SparModel

/// The folder of golden values and real data beside the project; nil where it is absent.
let shared: String? = {
  if let given = ProcessInfo.processInfo.environment["SPAR_SHARED"], !given.isEmpty { return given }
  var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  while folder.path != "/" {
    let candidate = folder.appendingPathComponent("shared")
    if FileManager.default.fileExists(atPath: candidate.path + "/golden") { return candidate.path }
    folder.deleteLastPathComponent()
  }
  return nil
}()

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
  let added = ["<pad>", "<s>", "</s>"].enumerated().map { id, content in
    [
      "id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
      "rstrip": false, "normalized": false,
    ] as [String: Any]
  }
  let byteLevel: [String: Any] = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
  ]
  try writeJSON(
    [
      "version": "1.0", "added_tokens": added, "normalizer": NSNull(),
      "pre_tokenizer": byteLevel, "post_processor": NSNull(), "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
        "byte_fallback": false, "vocab": vocabulary, "merges": [String](),
      ] as [String: Any],
    ], to: folder + "/tokenizer.json")
  try writeJSON(
    [
      "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
      "chat_template":
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}",
    ], to: folder + "/tokenizer_config.json")
}

func writeJSON(_ object: [String: Any], to path: String) throws {
  try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
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
