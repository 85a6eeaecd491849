import Foundation
import SparCompute
import SparModel
import SparTensor

/// Policies of two narrow layers with random weights, each of its family's architecture, special
/// tokens and kind of template; one id a byte.
package enum TinyPolicy: String, CaseIterable, Sendable {
  case mistral, llama, gemma2

  private var special: [String] {
    switch self {
    case .mistral: ["<unk>", "<s>", "</s>"]
    case .llama:
      [
        "<|end_of_text|>", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>",
        "<|end_header_id|>",
      ]
    case .gemma2: ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"]
    }
  }

  private var begin: String { self == .gemma2 ? "<bos>" : special[1] }

  private var end: String {
    switch self {
    case .mistral: "</s>"
    case .llama: "<|eot_id|>"
    case .gemma2: "<end_of_turn>"
    }
  }

  private var template: String {
    let turns =
      switch self {
      case .mistral:
        "{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}"
          + "{% else %}{{ m.content + eos_token }}{% endif %}"
      case .llama:
        "{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim"
          + " + '<|eot_id|>' }}"
      case .gemma2:
        "{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n'"
          + " + m.content | trim + '<end_of_turn>\\n' }}"
      }
    let header =
      switch self {
      case .mistral: ""
      case .llama: "<|start_header_id|>assistant<|end_header_id|>\\n\\n"
      case .gemma2: "<start_of_turn>model\\n"
      }
    return "{{ bos_token }}{% for m in messages %}\(turns){% endfor %}"
      + "{% if add_generation_prompt %}{{ '\(header)' }}{% endif %}"
  }

  private func config(_ vocabulary: Int) -> [String: Any] {
    var config: [String: Any] = [
      "model_type": rawValue, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
      "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "vocab_size": vocabulary,
      "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": 1024,
      "tie_word_embeddings": self == .gemma2,
    ]
    if self == .mistral { config["sliding_window"] = 64 }
    if self == .gemma2 {
      config["sliding_window"] = 16
      config["query_pre_attn_scalar"] = 8
    }
    return config
  }

  /// - Parameter heads: further tensors by name and shape, such as a ranker's.
  package func lay(in folder: String, heads: [String: [Int]] = [:], seed: UInt64 = 3) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let vocabulary = try layBytes(in: folder, special: special)
    try writeJSON(
      ["bos_token": begin, "eos_token": end, "chat_template": template],
      to: folder + "/tokenizer_config.json")
    try writeJSON(config(vocabulary), to: folder + "/config.json")
    let backend = Backend.reference()
    var weights = RandomTensors(seed: seed)
    _ = try Architectures.make(
      ModelConfig(
        json: JSONSerialization.data(withJSONObject: config(vocabulary)), path: folder),
      backend: backend, path: folder
    ) { name, shape in
      weights.add(name, shape)
      return Parameter(name: name, value: backend.tensor(shape))
    }
    for (name, shape) in heads.sorted(by: { $0.key < $1.key }) { weights.add(name, shape) }
    try SafetensorsWriter.write(weights.tensors, to: folder + "/model.safetensors")
  }
}

/// Rankers with random weights.
package enum TinyRanker: String, CaseIterable, Sendable {
  case pairrm, gpm
  case bradleyTerry = "bradley-terry"
  case pairLM = "pair-lm"

  package func lay(in folder: String) throws {
    switch self {
    case .pairrm: try layPairEncoder(in: folder)
    case .gpm:
      try TinyPolicy.llama.lay(
        in: folder, heads: ["value_head.weight": [4, 16], "prompt_head.weight": [2, 16]])
    case .bradleyTerry:
      try TinyPolicy.llama.lay(in: folder, heads: ["value_head.weight": [1, 16]])
    case .pairLM: try TinyPolicy.llama.lay(in: folder, seed: 8)
    }
  }
}

/// A DeBERTa of one layer with PairRM's head and tokens.
private func layPairEncoder(in folder: String) throws {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  let vocabulary = try layBytes(
    in: folder,
    special: [
      "[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "<|source|>", "<|candidate1|>",
      "<|candidate2|>", "<|candidate|>",
    ])
  let (C, F) = (16, 24)
  try writeJSON(
    [
      "model_type": "deberta-v2", "hidden_size": C, "intermediate_size": F,
      "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": vocabulary,
      "max_position_embeddings": 64, "position_buckets": 16, "relative_attention": true,
      "position_biased_input": false, "type_vocab_size": 0, "share_att_key": true,
      "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm",
    ], to: folder + "/config.json")
  var weights = RandomTensors(seed: 4)
  func add(_ name: String, _ rows: Int, _ columns: Int) {
    weights.add(name + ".weight", [rows, columns])
    weights.add(name + ".bias", [rows])
  }
  func norm(_ name: String) {
    weights.add(name + ".weight", [C])
    weights.add(name + ".bias", [C])
  }
  let model = "pretrained_model."
  weights.add(model + "embeddings.word_embeddings.weight", [vocabulary, C])
  norm(model + "embeddings.LayerNorm")
  weights.add(model + "encoder.rel_embeddings.weight", [32, C])
  norm(model + "encoder.LayerNorm")
  let layer = model + "encoder.layer.0."
  for name in ["query", "key", "value"] { add("\(layer)attention.self.\(name)_proj", C, C) }
  add(layer + "attention.output.dense", C, C)
  norm(layer + "attention.output.LayerNorm")
  add(layer + "intermediate.dense", F, C)
  add(layer + "output.dense", C, F)
  norm(layer + "output.LayerNorm")
  add("head_layer.1", C, 2 * C)
  add("head_layer.4", 1, C)
  try SafetensorsWriter.write(weights.tensors, to: folder + "/model.safetensors")
}

/// Uniform numbers; vectors that scale are 1, or near 0 where 1 is added to them.
private struct RandomTensors {
  var tensors: [SafetensorsWriter.Tensor] = []
  private var random: Random

  init(seed: UInt64) { random = Random(seed: seed, stage: .initialise) }

  mutating func add(_ name: String, _ shape: [Int]) {
    let isScale = shape.count == 1 && name.hasSuffix("weight")
    let values = (0..<shape.reduce(1, *)).map { _ in
      isScale ? 1 : Float(random.uniform() - 0.5)
    }
    tensors.append(.init(name: name, shape: shape, values: values))
  }
}

/// A tokenizer of one id a byte behind the special tokens; returns the number of ids.
private func layBytes(in folder: String, special: [String]) throws -> Int {
  var vocabulary = Dictionary(uniqueKeysWithValues: zip(special, special.indices))
  var moved: UInt32 = 256
  for byte in 0..<256 as Range<UInt32> {
    let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
    if let letter = UnicodeScalar(isPrintable ? byte : moved) {
      vocabulary[String(letter)] = vocabulary.count
    }
    if !isPrintable { moved += 1 }
  }
  try layTokenizer(
    in: folder, added: special.map { AddedToken($0, isSpecial: true) }, vocabulary: vocabulary)
  return vocabulary.count
}
