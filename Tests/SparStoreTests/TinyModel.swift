import Foundation
import SparModel

/// A Hugging Face folder with a model of a few thousand numbers and a tokenizer of 160 tokens.
enum TinyModel {
  /// Byte-level BPE: three special tokens, the printable characters, a few merges.
  static var tokenizer: [String: Any] {
    var vocabulary: [String: Int] = ["<pad>": 0, "<s>": 1, "</s>": 2]
    let letters = (0x21...0x7E).map { String(UnicodeScalar(UInt8($0))) } + ["Ġ", "Ċ", "Ã", "¼"]
    for (index, letter) in letters.enumerated() { vocabulary[letter] = 3 + index }
    let merges = ["t h", "th e", "Ġ the", "a n", "an d", "Ġ and", "Ã ¼"]
    for merge in merges {
      vocabulary[merge.replacing(" ", with: "")] = vocabulary.count
    }
    let added = ["<pad>", "<s>", "</s>"].enumerated().map { id, content -> [String: Any] in
      [
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true,
      ]
    }
    return [
      "version": "1.0", "added_tokens": added,
      "pre_tokenizer": [
        "type": "Sequence",
        "pretokenizers": [
          ["type": "Digits", "individual_digits": true],
          [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": true,
          ],
        ],
      ],
      "decoder": [
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
      ],
      "model": [
        "type": "BPE", "vocab": vocabulary, "merges": merges, "fuse_unk": false,
        "byte_fallback": false, "ignore_merges": false,
      ],
    ]
  }

  static let template =
    "{% for m in messages %}{{ bos_token }}{{ m.role }}: {{ m.content }}{{ eos_token }}"
    + "{% endfor %}{% if add_generation_prompt %}{{ bos_token }}assistant: {% endif %}"

  static func write(_ object: [String: Any], _ path: String) throws {
    try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
      .write(to: URL(fileURLWithPath: path))
  }

  /// Tokenizer, its settings and a card beside weights that are there.
  static func addTexts(to folder: String) throws {
    try write(tokenizer, folder + "/tokenizer.json")
    try write(
      [
        "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "chat_template": template,
        "model_max_length": 64,
      ], folder + "/tokenizer_config.json")
    try write(["eos_token_id": [2, 5]], folder + "/generation_config.json")
    try "---\nlicense: mit\nother: 1\n---\n# Tiny\n".write(
      toFile: folder + "/README.md", atomically: true, encoding: .utf8)
  }

  /// The configuration of a tiny Llama: 2 layers, 4 heads of 8 (2 for keys), 32 channels.
  static var config: [String: Any] {
    [
      "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32,
      "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
      "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 160, "rms_norm_eps": 1e-5,
      "rope_theta": 10000.0, "tie_word_embeddings": true, "max_position_embeddings": 64,
      "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16",
      "something_of_its_own": ["kept": true],
    ]
  }

  /// Names and shapes of the Llama of `config`.
  static var shapes: [(String, [Int])] {
    [("model.embed_tokens.weight", [160, 32])]
      + (0..<2).flatMap { layer in
        [
          ("input_layernorm", [32]), ("self_attn.q_proj", [32, 32]),
          ("self_attn.k_proj", [16, 32]),
          ("self_attn.v_proj", [16, 32]), ("self_attn.o_proj", [32, 32]),
          ("post_attention_layernorm", [32]), ("mlp.gate_proj", [64, 32]),
          ("mlp.up_proj", [64, 32]), ("mlp.down_proj", [32, 64]),
        ].map { ("model.layers.\(layer).\($0).weight", $1) }
      } + [("model.norm.weight", [32])]
  }

  /// - Parameter types: by position of the tensor, repeated.
  static func make(
    _ folder: String, types: [WeightType] = [.bf16], config change: [String: Any] = [:],
    shapes: [(String, [Int])] = shapes
  ) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(config.merging(change) { $1 }, folder + "/config.json")
    try SafetensorsWriter.write(
      shapes.enumerated().map { index, tensor in
        let count = tensor.1.reduce(1, *)
        let values = (0..<count).map { sinf(Float($0 * 7 + index * 131)) * 0.3 }
        return .init(
          name: tensor.0, type: types[index % types.count], shape: tensor.1, values: values)
      }, to: folder + "/model.safetensors")
    try addTexts(to: folder)
  }

  /// The bytes and types of all tensors, by name.
  static func contents(_ source: any WeightSource) throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for entry in source.entries {
      found["\(entry.name) \(entry.type) \(entry.shape)"] = Array(try source.rawBytes(entry.name))
    }
    return found
  }
}
