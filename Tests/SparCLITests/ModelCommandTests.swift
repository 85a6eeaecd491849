import Foundation
import Testing

@Suite("spar model") struct ModelCommandTests {
  /// A Hugging Face folder of one layer with a tokenizer of a few tokens.
  static func model(_ folder: SparProcess.Folder) throws -> String {
    let path = folder.file("tiny")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let shapes: [(String, [Int])] = [
      ("model.embed_tokens.weight", [8, 4]), ("model.layers.0.input_layernorm.weight", [4]),
      ("model.layers.0.self_attn.q_proj.weight", [4, 4]),
      ("model.layers.0.self_attn.k_proj.weight", [4, 4]),
      ("model.layers.0.self_attn.v_proj.weight", [4, 4]),
      ("model.layers.0.self_attn.o_proj.weight", [4, 4]),
      ("model.layers.0.post_attention_layernorm.weight", [4]),
      ("model.layers.0.mlp.gate_proj.weight", [4, 4]),
      ("model.layers.0.mlp.up_proj.weight", [4, 4]),
      ("model.layers.0.mlp.down_proj.weight", [4, 4]), ("model.norm.weight", [4]),
    ]
    var offset = 0
    let header = shapes.map { name, shape -> String in
      let bytes = 2 * shape.reduce(1, *)
      defer { offset += bytes }
      return "\"\(name)\":{\"dtype\":\"BF16\",\"shape\":\(shape),"
        + "\"data_offsets\":[\(offset),\(offset + bytes)]}"
    }
    let text = "{" + header.joined(separator: ",") + "}"
    var file = Data()
    withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { file.append(contentsOf: $0) }
    file.append(contentsOf: text.utf8)
    file.append(contentsOf: (0..<offset).map { UInt8(truncatingIfNeeded: $0 % 2 == 0 ? $0 : 0x3C) })
    try file.write(to: URL(fileURLWithPath: path + "/model.safetensors"))
    for (name, json) in [
      (
        "config.json",
        """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":4,
        "intermediate_size":4,"num_hidden_layers":1,"num_attention_heads":2,
        "num_key_value_heads":2,"vocab_size":8,"rms_norm_eps":1e-5,"tie_word_embeddings":true,
        "max_position_embeddings":32,"eos_token_id":1,"torch_dtype":"bfloat16"}
        """
      ),
      (
        "tokenizer.json",
        """
        {"added_tokens":[{"id":1,"content":"</s>","special":true,"single_word":false,
        "lstrip":false,"rstrip":false,"normalized":false}],"normalizer":null,
        "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true,
        "trim_offsets":true},"decoder":{"type":"ByteLevel"},"post_processor":null,
        "model":{"type":"BPE","vocab":{"a":0,"</s>":1,"b":2,"ab":3},"merges":["a b"]}}
        """
      ),
      (
        "tokenizer_config.json",
        """
        {"eos_token":"</s>","chat_template":"{% for m in messages %}{{ m.content }}{{ eos_token \
        }}{% endfor %}"}
        """
      ), ("README.md", "---\nlicense: mit\n---\n"),
    ] {
      try json.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    }
    return path
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("info tells shape, weights, memory, tokenizer, template and licence")
  func info() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try Self.model(folder)
    let facts = try json(SparProcess.run(["model", "info", model, "--json", "--digest"]).output)
    #expect(facts["parameters"] as? Int == 32 + 7 * 16 + 3 * 4)
    #expect(facts["license"] as? String == "mit")
    let weights = try #require(facts["weights"] as? [[String: Any]])
    #expect(weights.count == 1 && weights[0]["type"] as? String == "bf16")
    #expect((facts["digest"] as? String)?.count == 64)
    let template = try #require(facts["chat_template"] as? [String: Any])
    #expect(template["is_prefix_preserving"] as? Bool == true)
    #expect(template["variables"] as? [String] == ["eos_token"])
    let memory = try #require(facts["memory"] as? [String: Any])
    #expect(memory["cache_per_thousand_tokens"] as? Int == 1000 * 2 * 4 * 4)
    let text = try SparProcess.run(["model", "info", model])
    for word in ["llama (LlamaForCausalLM)", "bf16: 11 tensors", "prefix-preserving", "mit"] {
      #expect(text.output.contains(word), "\(word)")
    }
  }

  @Test("info tells what loading reads: defaults of the architecture, and none of an unknown one")
  func oneReader() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try Self.model(folder)
    let path = model + "/config.json"
    let llama = try String(contentsOfFile: path, encoding: .utf8)
    func info(_ changes: [(String, String)]) throws -> SparProcess {
      let text = changes.reduce(llama) { $0.replacing($1.0, with: $1.1) }
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return try SparProcess.run(["model", "info", model, "--json"])
    }
    // Qwen 3 has heads of 128 where the config does not say, and Mistral 8 key heads.
    let qwen = try json(info([("\"llama\"", "\"qwen3\"")]).output)
    #expect(qwen["head_size"] as? Int == 128)
    let mistral = try json(
      info([
        ("\"llama\"", "\"mistral\""), ("\"num_key_value_heads\":2,", ""),
        ("\"num_attention_heads\":2", "\"num_attention_heads\":8"),
        ("\"hidden_size\":4", "\"hidden_size\":16"), ("\"max_position_embeddings\":32,", ""),
      ]).output)
    #expect(mistral["key_heads"] as? Int == 8)
    #expect(mistral["max_positions"] as? Int == 131_072)
    let unknown = try info([("\"llama\"", "\"lama\"")])
    #expect(unknown.status == 1 && unknown.errors.contains("the nearest is llama"))
    let wrong = try info([("\"vocab_size\":8", "\"vocab_size\":\"8\"")])
    #expect(wrong.status == 1 && wrong.errors.contains("vocab_size"), "\(wrong.errors)")
  }

  @Test("out to GGUF, into HDF5, out to a folder; what is there is not replaced unasked")
  func around() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try Self.model(folder)
    for (command, source, target, tensors) in [
      ("export", model, "a.gguf", "8 f16, 3 f32 tensors"),
      ("import", model, "a.h5", "11 bf16 tensors"),
      ("export", folder.file("a.h5"), "b", "11 bf16 tensors"),
      ("import", folder.file("a.gguf"), "c.h5", "8 f16, 3 f32 tensors"),
    ] {
      let arguments = ["model", command, source, folder.file(target)]
      let first = try SparProcess.run(arguments)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.contains(tensors), "\(first.output)")
      let again = try SparProcess.run(arguments)
      #expect(again.status == 1 && again.errors.contains("--overwrite"), "\(again.errors)")
      #expect(try SparProcess.run(arguments + ["--force"]).status == 0)
    }
    let there = try Data(contentsOf: URL(fileURLWithPath: model + "/model.safetensors"))
    let back = try Data(contentsOf: URL(fileURLWithPath: folder.file("b/model.safetensors")))
    #expect(there.suffix(312) == back.suffix(312))
    let card = try String(contentsOfFile: folder.file("b/README.md"), encoding: .utf8)
    #expect(card.contains("license: mit") && card.contains("| exported from | a.h5 |"))
    let fetched = try SparProcess.run(["model", "fetch", folder.file("b")])
    #expect(fetched.output == folder.file("b") + "\n")
    #expect(fetched.errors.contains("is used where it is: Hugging Face folder, llama"))
  }

  @Test("wrong targets, types and sizes are named")
  func usage() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try Self.model(folder)
    for (arguments, word) in [
      (["export", model, folder.file("x"), "--type", "q8_0"], "ends in .gguf"),
      (["export", model, folder.file("x.gguf"), "--type", "q9"], "q8_0, q4_0"),
      (["export", model, folder.file("x"), "--max_shard_size", "big"], "5GB"),
      (["export", model, folder.file("x.gguf"), "--max_shard_size", "1GB"], "is for a folder"),
      (["import", model, folder.file("x.bin")], "does not end in .h5"),
    ] {
      let result = try SparProcess.run(["model"] + arguments)
      #expect(result.status == 2 && result.errors.contains(word), "\(result.errors)")
    }
    #expect(try SparProcess.run(["model", "fetch", "no-such"]).errors.contains("smollm2-135m"))
    let help = try SparProcess.run(["model", "--help"]).output
    #expect(help.contains("spar model export my-model my-model.gguf --type q8_0"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["tiny"])
  }
}
