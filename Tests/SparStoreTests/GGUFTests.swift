import Foundation
import SparModel
import Testing

@Suite("GGUF") struct GGUFTests {
  /// A Llama of 1 layer, 2 heads of 4, 1 key head, 8 channels; projections count 0, 1, 2 …
  private func tinyLlama() -> GGUFBytes {
    var file = GGUFBytes()
    file.set("general.architecture", "llama")
    file.set("llama.block_count", 1)
    file.set("llama.context_length", 64)
    file.set("llama.embedding_length", 8)
    file.set("llama.feed_forward_length", 4)
    file.set("llama.attention.head_count", 2)
    file.set("llama.attention.head_count_kv", 1)
    file.set("llama.attention.layer_norm_rms_epsilon", float: 1e-5)
    file.set("llama.rope.freq_base", float: 10000)
    file.set("tokenizer.ggml.tokens", ["a", "ü", "c"])
    file.set("tokenizer.ggml.eos_token_id", UInt32(2))
    func counting(_ name: String, _ shape: [Int]) -> GGUFBytes.Tensor {
      .init(name, shape, (0..<shape.reduce(1, *)).map(Float.init))
    }
    file.tensors = [
      counting("token_embd.weight", [3, 8]), counting("blk.0.attn_q.weight", [8, 8]),
      counting("blk.0.attn_k.weight", [4, 8]), counting("blk.0.attn_v.weight", [4, 8]),
      counting("blk.0.attn_output.weight", [8, 8]), counting("blk.0.attn_norm.weight", [8]),
      counting("blk.0.ffn_norm.weight", [8]), counting("blk.0.ffn_gate.weight", [4, 8]),
      counting("blk.0.ffn_up.weight", [4, 8]), counting("blk.0.ffn_down.weight", [8, 4]),
      counting("output_norm.weight", [8]),
    ]
    return file
  }

  @Test("metadata keep their types", arguments: [UInt32(2), 3])
  func metadata(version: UInt32) throws {
    let folder = try TemporaryFolder()
    var bytes = tinyLlama()
    bytes.version = version
    bytes.metadata.append(("b", 7, [1]))
    bytes.metadata.append(("big", 10, littleEndian(UInt64.max)))
    bytes.metadata.append(("small", 1, [0xFF]))
    bytes.metadata.append(
      (
        "floats", 9,
        littleEndian(UInt32(6)) + littleEndian(UInt64(1)) + littleEndian(Float(0.1).bitPattern)
      ))
    let file = try GGUFFile(folder.write("m.gguf", bytes.bytes))
    #expect(file.version == Int(version))
    #expect(try file.bool("b") == true)
    #expect(file.metadata["big"] == .uint(.max))
    #expect(try file.int("small") == -1)
    #expect(try file.floatArray("floats") == [0.1])
    #expect(try file.stringArray("tokenizer.ggml.tokens") == ["a", "ü", "c"])
    #expect(try file.float("llama.attention.layer_norm_rms_epsilon") == 1e-5)
    #expect(try file.int("absent") == nil)
    #expect(message { _ = try file.int("general.architecture") }.contains("should be an integer"))
    #expect(file.entry("blk.0.attn_k.weight")?.shape == [4, 8])
  }

  @Test("the Llama view has Hugging Face's names and row order")
  func llamaView() throws {
    let folder = try TemporaryFolder()
    let source = try GGUFLlamaSource(path: folder.write("l.gguf", tinyLlama().bytes))
    #expect(
      source.entries.map(\.name).sorted() == [
        "model.embed_tokens.weight", "model.layers.0.input_layernorm.weight",
        "model.layers.0.mlp.down_proj.weight", "model.layers.0.mlp.gate_proj.weight",
        "model.layers.0.mlp.up_proj.weight", "model.layers.0.post_attention_layernorm.weight",
        "model.layers.0.self_attn.k_proj.weight", "model.layers.0.self_attn.o_proj.weight",
        "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.v_proj.weight",
        "model.norm.weight",
      ])
    func firstColumn(_ name: String) throws -> [Float] {
      let values = try source.floats(name)
      return stride(from: 0, to: values.count, by: 8).map {
        values[$0] / 8
      }
    }
    // Head size 4: the file's rows are (i, s), Hugging Face's (s, i).
    let query = "model.layers.0.self_attn.q_proj.weight"
    #expect(try firstColumn(query) == [0, 2, 1, 3, 4, 6, 5, 7])
    #expect(try firstColumn("model.layers.0.self_attn.k_proj.weight") == [0, 2, 1, 3])
    #expect(try firstColumn("model.layers.0.self_attn.v_proj.weight") == [0, 1, 2, 3])
    let raw = try source.rawBytes(query)
    #expect(try Array(raw.bindMemory(to: Float.self)) == source.floats(query))
  }

  @Test("the description is Hugging Face's config.json")
  func description() throws {
    let folder = try TemporaryFolder()
    var bytes = tinyLlama()
    let tied = try GGUFModelDescription(GGUFFile(folder.write("t.gguf", bytes.bytes)))
    #expect(tied.tiesWordEmbeddings)
    let config = try #require(
      JSONSerialization.jsonObject(with: tied.configJSON()) as? [String: Any])
    #expect(config["model_type"] as? String == "llama")
    #expect(config["head_dim"] as? Int == 4)
    #expect(config["num_key_value_heads"] as? Int == 1)
    #expect(config["vocab_size"] as? Int == 3)
    #expect(config["rms_norm_eps"] as? Double == 1e-5)
    #expect(config["max_position_embeddings"] as? Int == 64)
    #expect(config["tie_word_embeddings"] as? Bool == true)
    #expect(config["rope_scaling"] == nil)
    #expect(config["eos_token_id"] as? Int == 2)
    bytes.tensors.append(.init("output.weight", [3, 8], [Float](repeating: 1, count: 24)))
    let untied = try GGUFLlamaSource(path: folder.write("u.gguf", bytes.bytes))
    #expect(!untied.model.tiesWordEmbeddings)
    #expect(untied.entry("lm_head.weight")?.shape == [3, 8])
  }

  @Test("Llama 3's rotary factors become its rope_scaling, and others are refused")
  func ropeFactors() throws {
    let folder = try TemporaryFolder()
    var bytes = tinyLlama()
    // theta 10000, head size 4: wavelengths 6.3 and 628 are short, so no factor but 1 follows.
    bytes.tensors.append(.init("rope_freqs.weight", [2], [1, 1]))
    #expect(
      try GGUFModelDescription(GGUFFile(folder.write("1.gguf", bytes.bytes))).ropeScaling == nil)
    bytes.tensors[bytes.tensors.count - 1] = .init("rope_freqs.weight", [2], [3, 1])
    let path = try folder.write("2.gguf", bytes.bytes)
    #expect(message { _ = try GGUFLlamaSource(path: path) }.contains("rope_freqs.weight"))
    // A length far below 0 would follow.
    bytes.tensors[bytes.tensors.count - 1] = .init("rope_freqs.weight", [2], [-1e-30, 1.0005])
    let negative = try folder.write("n.gguf", bytes.bytes)
    #expect(message { _ = try GGUFLlamaSource(path: negative) }.contains("rope_freqs.weight"))
    bytes.tensors[bytes.tensors.count - 1] = .init("rope_freqs.weight", [2], [1, 3])
    // theta 5e10: the second wavelength is 1.4 million, beyond the context.
    let base = bytes.metadata.firstIndex { $0.0 == "llama.rope.freq_base" }
    bytes.metadata[try #require(base)].2 = littleEndian(Float(5e10).bitPattern)
    let scaling = try GGUFModelDescription(GGUFFile(folder.write("3.gguf", bytes.bytes)))
      .ropeScaling
    #expect(scaling?.ropeType == "llama3")
    #expect(scaling?.factor == 3)
  }

  @Test("a truncated file is refused wherever it ends")
  func truncated() throws {
    let folder = try TemporaryFolder()
    let bytes = tinyLlama().bytes
    for end in stride(from: 0, to: bytes.count, by: 7) {
      let path = try folder.write("t.gguf", Array(bytes[..<end]))
      #expect(throws: WeightError.self, "\(end)") { _ = try GGUFFile(path) }
    }
    let path = try folder.write("t.gguf", Array(bytes.dropLast(4)))
    let text = message { _ = try GGUFFile(path) }
    #expect(text.contains("tensor output_norm.weight needs bytes"))
    #expect(text.contains("the file has \(bytes.count - 4): the file is truncated, download"))
  }

  @Test("flipping any byte of the header never crashes the reader")
  func corrupted() throws {
    let folder = try TemporaryFolder()
    let bytes = tinyLlama().bytes
    var refused = 0
    for index in stride(from: 0, to: 900, by: 7) {
      for flip in [UInt8(0xFF), 0x80] {
        var damaged = bytes
        damaged[index] ^= flip
        let path = try folder.write("c.gguf", damaged)
        do {
          let file = try GGUFFile(path)
          for entry in file.entries where entry.type != .unknown && entry.count < 10_000 {
            _ = try file.floats(entry.name)
          }
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 50)
  }

  @Test("a type of the future is listed, and refused by name when it is read")
  func unknownType() throws {
    let folder = try TemporaryFolder()
    var bytes = tinyLlama()
    bytes.tensors.append(.init(name: "new", shape: [256], type: 16, bytes: [0]))
    bytes.tensors.append(.init(name: "newer", shape: [256], type: 77, bytes: [0]))
    let file = try GGUFFile(folder.write("n.gguf", bytes.bytes))
    #expect(file.entry("new")?.type == .unknown)
    let text = message { _ = try file.floats("new") }
    #expect(text.contains("tensor new has type IQ2_XXS (16); this build reads F32, F16, Q4_0"))
    #expect(message { _ = try file.rawBytes("newer") }.contains("number 77"))
  }

  @Test("what this build cannot use is refused with its name")
  func unsupported() throws {
    let folder = try TemporaryFolder()
    func refusal(_ change: (inout GGUFBytes) -> Void) throws -> String {
      var bytes = tinyLlama()
      change(&bytes)
      let path = try folder.write("r.gguf", bytes.bytes)
      return message { _ = try GGUFLlamaSource(path: path) }
    }
    #expect(try refusal { $0.version = 1 }.contains("GGUF version 1; this build reads 2 and 3"))
    #expect(try refusal { $0.version = 3 << 24 }.contains("big-endian"))
    #expect(
      try refusal { $0.metadata[0].2 = GGUFBytes.string("mamba") }
        .contains("architecture mamba; from GGUF this build reads llama, qwen2, qwen3"))
    #expect(
      try refusal { $0.metadata.remove(at: 1) }.contains("llama.block_count is missing"))
    #expect(
      try refusal { $0.tensors.append(.init("blk.0.odd.weight", [1], [1])) }
        .contains("tensor blk.0.odd.weight has no place"))
    #expect(
      try refusal { $0.tensors.append($0.tensors[1]) }.contains("occurs twice"))
    #expect(
      try refusal { $0.metadata.append(("general.alignment", 4, littleEndian(UInt32(3)))) }
        .contains("general.alignment is 3"))
    #expect(
      try refusal { $0.tensors.append(.init(name: "x", shape: [48], type: 3, bytes: [])) }
        .contains("no whole number of blocks of 32"))
    // Cut to 32 bits this would be token 2.
    #expect(
      try refusal {
        $0.metadata.append(
          ("tokenizer.ggml.bos_token_id", 10, littleEndian(UInt64(1 << 32 + 2))))
      }.contains("tokenizer.ggml.bos_token_id holds 4294967298, beyond 32 bits"))
    let path = try folder.write("not.gguf", Array("GGML0000000000000000".utf8))
    #expect(message { _ = try GGUFFile(path) }.contains("does not start with GGUF"))
  }
}
