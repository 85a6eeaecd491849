import Foundation
import SparCompute
import SparModel
import SparTensor
import SparText

/// A random two-layer Llama of 98 ids with a tokenizer of one id per ASCII character and a template
/// of one line per turn.
func tinyLanguageModel(hidden: Int = 32, seed: UInt64 = 5) throws -> LanguageModel {
  let backend = Backend.reference()
  let config = try ModelConfig(
    json: Data(
      """
      {"model_type": "llama", "hidden_size": \(hidden), "intermediate_size": 48,
       "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
       "vocab_size": 99, "tie_word_embeddings": true, "max_position_embeddings": 256}
      """.utf8), path: "tiny")
  var made = 0
  let architecture = try Architectures.make(config, backend: backend, path: "tiny") { name, shape in
    made += 1
    var random = Random(seed: seed, stage: .initialise, item: made)
    let count = shape.reduce(1, *)
    let isNorm = shape.count == 1
    return Parameter(
      name: name,
      value: Tensor(
        (0..<count).map { _ in
          isNorm ? 1 : Float(2 * random.uniform() - 1) / Float(shape.last ?? 1).squareRoot() * 3
        }, shape: shape, pool: backend.pool))
  }
  return LanguageModel(
    config: config, backend: backend, architecture: architecture, tokenizer: try asciiTokenizer(),
    chatTemplate: try ChatTemplate(
      source: "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}",
      name: "tiny"), path: "tiny", digest: "tiny-\(seed)-\(hidden)")
}

/// - Parameter added: tokens of their own behind the characters'.
func asciiTokenizer(added: [String] = []) throws -> Tokenizer {
  var vocabulary = ["<pad>": 0, "<s>": 1, "</s>": 2, "Ġ": 3, "Ċ": 4]
  for byte in 33...126 as ClosedRange<UInt8> {
    vocabulary[String(UnicodeScalar(byte))] = vocabulary.count
  }
  let tokens = added.enumerated().map { place, name in
    [
      "id": vocabulary.count + place, "content": name, "special": true, "single_word": false,
      "lstrip": false, "rstrip": false, "normalized": false,
    ] as [String: Any]
  }
  let byteLevel: [String: Any] = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
  ]
  let json: [String: Any] = [
    "version": "1.0", "added_tokens": tokens, "normalizer": NSNull(), "pre_tokenizer": byteLevel,
    "post_processor": NSNull(), "decoder": byteLevel,
    "model": [
      "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
      "byte_fallback": false, "vocab": vocabulary, "merges": [String](),
    ] as [String: Any],
  ]
  return try Tokenizer(
    tokenizerJSON: JSONSerialization.data(withJSONObject: json), path: "tiny")
}

/// A folder that is removed when the last user is gone.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.path + "/ranker-\(UUID().uuidString)"

  deinit {
    do {
      if FileManager.default.fileExists(atPath: path) {
        try FileManager.default.removeItem(atPath: path)
      }
    } catch {
      print("cannot remove \(path): \(error)")
    }
  }
}
