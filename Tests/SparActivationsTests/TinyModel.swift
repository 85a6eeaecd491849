import Foundation
import SparCompute
import SparModel
import SparTensor
import SparText

/// A Llama of 2 blocks and 16 channels with random weights, and a tokenizer of a few letters.
func tinyModel(seed: UInt64 = 1) throws -> LanguageModel {
  let config = try ModelConfig(
    json: Data(
      """
      {"model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
       "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 40, "eos_token_id": 2,
       "max_position_embeddings": 128, "tie_word_embeddings": true}
      """.utf8), path: "tiny")
  let tokenizer = try Tokenizer(
    tokenizerJSON: Data(
      """
      {"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
       "decoder": {"type": "ByteLevel"},
       "model": {"type": "BPE", "vocab": {"a": 3, "b": 4, "c": 5}, "merges": []}}
      """.utf8), path: "tiny", config: nil)
  let backend = Backend.reference()
  var random = Random(seed: seed, stage: .generate, iteration: 0, item: 0, sub: 0, position: 0)
  let architecture = try Architectures.make(config, backend: backend, path: "tiny") { name, shape in
    let values = (0..<shape.reduce(1, *)).map { _ in Float(random.uniform() - 0.5) }
    return Parameter(name: name, value: Tensor(values, shape: shape, pool: backend.pool))
  }
  return LanguageModel(
    config: config, backend: backend, architecture: architecture, tokenizer: tokenizer,
    chatTemplate: nil, path: "tiny", digest: "tiny-\(seed)")
}

/// A folder that goes with the test.
final class TestFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "spar-activations-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      print("cannot remove \(path): \(error)")
    }
  }

  subscript(_ name: String) -> String { "\(path)/\(name)" }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
