import Foundation
import SparModel
import Testing

/// The Python package gguf, where it can be imported: it reads what we write, and its numbers are
/// ours bit by bit.
@Suite("The Python package gguf agrees") struct GGUFPythonTests {
  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["SPAR_PYTHON"] ?? "python3"
    do {
      return try run([named, "-c", "import gguf"]).status == 0 ? named : nil
    } catch {
      return nil
    }
  }()
  static let absence: Comment = "gguf is not importable: set SPAR_PYTHON to a Python that has it"

  private func check(_ script: String, _ arguments: [String]) throws {
    let program = """
      import sys, numpy as np, gguf
      from gguf import quants, GGUFReader, GGMLQuantizationType as Type
      \(script)
      """
    let python = try #require(Self.python)
    let result = try run([python, "-c", program] + arguments)
    #expect(result.status == 0, "\(result.output)")
  }

  /// A fixed sequence of bytes without visible pattern.
  static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state >> 32)
    }
  }

  @Test("blocks of random bytes decode to the same bits", .enabled(if: python != nil, absence))
  func decoding() throws {
    let types: [(UInt32, String, Int, Int)] = [
      (1, "F16", 1, 2), (30, "BF16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20),
      (6, "Q5_0", 32, 22), (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (10, "Q2_K", 256, 84),
      (11, "Q3_K", 256, 110), (12, "Q4_K", 256, 144), (13, "Q5_K", 256, 176),
      (14, "Q6_K", 256, 210), (20, "IQ4_NL", 32, 18), (23, "IQ4_XS", 256, 136),
    ]
    let folder = try TemporaryFolder()
    var bytes = GGUFBytes()
    bytes.set("general.architecture", "llama")
    let rows = 8
    for (number, name, values, size) in types {
      let blocks = 2048 / values
      bytes.tensors.append(
        .init(
          name: name, shape: [rows, 2048], type: number,
          bytes: Self.noise(rows * blocks * size, seed: UInt64(number) + 7)))
    }
    let path = try folder.write("q.gguf", bytes.bytes)
    try check(
      """
      for t in GGUFReader(sys.argv[1]).tensors:
        values = quants.dequantize(t.data, t.tensor_type).astype(np.float32)
        assert values.shape == (8, 2048), (t.name, values.shape)
        values.tofile(sys.argv[2] + "/" + t.name)
      """, [path, folder.path])
    let source = try GGUFFile(path)
    for (_, name, _, _) in types {
      let expected = try Data(contentsOf: URL(fileURLWithPath: folder[name]))
        .withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
      let found = try source.floats(name)
      #expect(found.count == expected.count)
      let wrong = zip(found, expected).count {
        $0.bitPattern != $1.bitPattern && !($0.isNaN && $1.isNaN)
      }
      #expect(wrong == 0, "\(name)")
    }
  }

  @Test("random values are quantised to the same bytes", .enabled(if: python != nil, absence))
  func encoding() throws {
    let folder = try TemporaryFolder()
    let noise = Self.noise(4 * 4096, seed: 3)
    var values = (0..<4096).map { i -> Float in
      let bits = noise[4 * i..<4 * i + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return (Float(bits) / 4_294_967_296 - 0.5)
        * Float(sign: .plus, exponent: i / 256 - 12, significand: 1)
    }
    values.replaceSubrange(0..<32, with: repeatElement(0, count: 32))
    values.replaceSubrange(32..<64, with: (0..<32).map { Float($0 % 2 == 0 ? 3 : -3) })
    values.replaceSubrange(64..<96, with: (0..<32).map { (Float($0) - 16) / 2 })  // many ties
    let types: [WeightType] = [.f32, .f16, .bf16, .q8_0, .q4_0]
    let path = folder["w.gguf"]
    try GGUFWriter.write(
      types.map { .init(name: $0.rawValue, type: $0, shape: [16, 256], values: values) },
      metadata: [
        ("general.architecture", .string("llama")), ("a.number", .u32(7)), ("a.real", .f32(0.1)),
        ("a.flag", .bool(true)), ("a.text", .string("grüß")), ("texts", .strings(["a", "", "b"])),
        ("reals", .f32s([1, -2.5])), ("numbers", .i32s([1, -2, 3])),
      ], to: path)
    try check(
      """
      r = GGUFReader(sys.argv[1])
      def field(name): return r.fields[name].contents()
      assert field("a.number") == 7 and field("a.flag") is True and field("a.text") == "grüß"
      assert field("texts") == ["a", "", "b"] and field("numbers") == [1, -2, 3]
      assert np.float32(field("a.real")) == np.float32(0.1) and field("reals") == [1, -2.5]
      t = {t.name: t for t in r.tensors}
      assert all(t.data_offset % 32 == 0 for t in r.tensors)
      values = t["f32"].data
      assert values.shape == (16, 256) and values[0, 32] == 3
      for name in ["f16", "bf16", "q8_0", "q4_0"]:
        kind = Type[name.upper()]
        expected = values.astype(np.float16) if name == "f16" else quants.quantize(values, kind)
        assert t[name].tensor_type == kind, t[name].tensor_type
        assert t[name].data.tobytes() == expected.tobytes(), name
      """, [path])
  }

  @Test("an exported model is read whole", .enabled(if: python != nil, absence))
  func model() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"])
    var export = GGUFExport()
    export.type = .q8_0
    try export.write(try .huggingFace(folder["a"]), to: folder["a.gguf"], name: "tiny")
    try check(
      """
      r = GGUFReader(sys.argv[1])
      def field(name): return r.fields[name].contents()
      assert field("general.architecture") == "llama" and field("general.license") == "mit"
      assert field("llama.block_count") == 2 and field("llama.attention.head_count_kv") == 2
      assert field("llama.context_length") == 64 and field("llama.vocab_size") == 160
      tokens, types = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
      assert len(tokens) == len(types) == 160 and tokens[1] == "<s>" and types[1] == 3
      assert types[159] == gguf.TokenType.UNUSED and tokens[159] == "[PAD159]"
      assert field("tokenizer.ggml.merges")[1] == "th e" and field("tokenizer.ggml.pre") == "smollm"
      assert field("tokenizer.ggml.eos_token_id") == 2 and field("tokenizer.ggml.eot_token_id") == 5
      assert "assistant" in field("tokenizer.chat_template")
      names = {t.name: t for t in r.tensors}
      layer = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
      for name in ["token_embd"] + ["blk.%d.%s" % (i, n) for i in range(2) for n in layer]:
        assert names.pop(name + ".weight").tensor_type == Type.Q8_0, name
      assert all(t.tensor_type == Type.F32 for t in names.values()) and len(names) == 5
      """, [folder["a.gguf"]])
  }
}
