import Foundation
import SparModel

@testable import SparText

extension FuzzTarget {
  /// A whole GGUF model: header, tensors, description, tokenizer.
  static let gguf = FuzzTarget(
    name: "gguf",
    seeds: { [GGUFBytes.model(), GGUFBytes.model(version: 2)] },
    run: { data in
      let path = try ScratchFile.write(data)
      let file = try GGUFFile(path)
      try readAll(file)
      let files = try ModelFiles.gguf(path)
      let ids = try files.tokenizer.encode("ab 12 ä")
      _ = try files.tokenizer.decode(ids)
      _ = try ModelConfig(json: files.config, path: path)
    })

  static let safetensors = FuzzTarget(
    name: "safetensors", seeds: { [try shard()] },
    run: { try readAll(SafetensorsFile(try ScratchFile.write($0))) })

  /// model.safetensors.index.json beside one sound shard.
  static let safetensorsIndex = FuzzTarget(
    name: "safetensors-index",
    seeds: {
      [
        Data(
          #"{"metadata":{"total_size":40},"weight_map":{"a":"s.safetensors","b":"s.safetensors"}}"#
            .utf8)
      ]
    },
    run: { data in
      _ = shardFile
      _ = try ScratchFile.write(data, as: "model.safetensors.index.json")
      try readAll(SafetensorsFolder(ScratchFile.folder))
    })

  static let modelConfig = FuzzTarget(
    name: "config",
    seeds: {
      [
        Data(
          #"""
          {"model_type":"llama","hidden_size":64,"intermediate_size":96,"num_hidden_layers":2,
          "num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"vocab_size":100,
          "rms_norm_eps":1e-5,"rope_theta":10000.0,"max_position_embeddings":128,
          "rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,
          "high_freq_factor":4.0,"original_max_position_embeddings":64},
          "tie_word_embeddings":true,"bos_token_id":1,"eos_token_id":[2,3],"hidden_act":"silu"}
          """#.utf8)
      ]
    },
    run: { _ = try ModelConfig(json: $0, path: "config.json") })

  private static let shardFile: String = {
    do {
      return try ScratchFile.write(try shard(), as: "s.safetensors")
    } catch {
      return "\(error)"
    }
  }()

  private static func shard() throws -> Data {
    let path = ScratchFile.folder + "/seed.safetensors"
    try SafetensorsWriter.write(
      [
        .init(name: "a", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]),
        .init(name: "b", type: .bf16, shape: [4], values: [1, 0.5, -2, 8]),
      ], to: path)
    defer { unlink(path) }
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// Reads every tensor that is small enough to be meant.
  private static func readAll(_ source: any WeightSource) throws {
    for entry in source.entries where entry.count <= 1 << 16 {
      var values = [Float](repeating: 0, count: entry.count)
      try values.withUnsafeMutableBufferPointer { try source.read(entry.name, into: $0) }
    }
  }
}

/// Just enough of a GGUF writer for small models.
private struct GGUFBytes {
  var data = Data()

  mutating func number<Number: FixedWidthInteger>(_ value: Number) {
    withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
  }

  mutating func string(_ text: String) {
    number(UInt64(text.utf8.count))
    data.append(contentsOf: text.utf8)
  }

  mutating func text(_ key: String, _ value: String) {
    string(key)
    number(UInt32(8))
    string(value)
  }

  mutating func integer(_ key: String, _ value: UInt32) {
    string(key)
    number(UInt32(4))
    number(value)
  }

  mutating func strings(_ key: String, _ values: [String]) {
    string(key)
    number(UInt32(9))
    number(UInt32(8))
    number(UInt64(values.count))
    for value in values { string(value) }
  }

  static func model(version: UInt32 = 3) -> Data {
    var out = GGUFBytes()
    let shapes: [(String, [UInt64], UInt32)] = [
      ("token_embd.weight", [32, 8], 8), ("output_norm.weight", [32], 0),
      ("blk.0.attn_norm.weight", [32], 0), ("blk.0.attn_q.weight", [32, 32], 2),
      ("blk.0.attn_k.weight", [32, 16], 1), ("blk.0.attn_v.weight", [32, 16], 30),
      ("blk.0.attn_output.weight", [32, 32], 3), ("blk.0.ffn_norm.weight", [32], 0),
      ("blk.0.ffn_gate.weight", [32, 32], 6), ("blk.0.ffn_up.weight", [32, 32], 7),
      ("blk.0.ffn_down.weight", [32, 32], 8),
    ]
    let tokens = ["<s>", "</s>", "a", "b", "ab", "Ġ", "1", "2"]
    out.number(UInt32(0x4655_4747))
    out.number(version)
    out.number(UInt64(shapes.count))
    out.number(UInt64(16))
    out.text("general.architecture", "llama")
    out.text("general.name", "tiny")
    for (key, value) in [
      ("block_count", 1), ("context_length", 64), ("embedding_length", 32),
      ("feed_forward_length", 32), ("attention.head_count", 2), ("attention.head_count_kv", 1),
    ] {
      out.integer("llama." + key, UInt32(value))
    }
    out.string("llama.attention.layer_norm_rms_epsilon")
    out.number(UInt32(6))
    out.number(Float(1e-5).bitPattern)
    out.text("tokenizer.ggml.model", "gpt2")
    out.text("tokenizer.ggml.pre", "smollm")
    out.strings("tokenizer.ggml.tokens", tokens)
    out.strings("tokenizer.ggml.merges", ["a b"])
    out.string("tokenizer.ggml.token_type")
    out.number(UInt32(9))
    out.number(UInt32(5))
    out.number(UInt64(tokens.count))
    for i in tokens.indices { out.number(Int32(i < 2 ? 3 : 1)) }
    out.integer("tokenizer.ggml.bos_token_id", 0)
    out.integer("tokenizer.ggml.eos_token_id", 1)
    var offset: UInt64 = 0
    for (name, shape, type) in shapes {
      out.string(name)
      out.number(UInt32(shape.count))
      for extent in shape { out.number(extent) }
      out.number(type)
      out.number(offset)
      offset += 4096
    }
    out.data.append(Data(count: 32 + Int(offset)))
    return out.data
  }
}
