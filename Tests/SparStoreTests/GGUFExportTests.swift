import Foundation
import SparModel
import SparText
import Testing

@Suite("GGUF export") struct GGUFExportTests {
  private func export(
    _ files: ModelFiles, _ path: String, _ type: WeightType = .f32
  ) throws -> ExportSummary {
    var export = GGUFExport()
    export.type = type
    return try export.write(files, to: path, name: "tiny")
  }

  @Test("our reader gives back values, configuration, tokenizer, template, licence")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"])
    let source = try ModelFiles.huggingFace(folder["a"])
    #expect(try export(source, folder["a.gguf"]).notes.isEmpty)
    let copy = try ModelFiles.gguf(folder["a.gguf"])
    #expect(copy.weights.entries.count == source.weights.entries.count)
    for entry in source.weights.entries {
      #expect(try copy.weights.floats(entry.name) == source.weights.floats(entry.name))
    }
    let (old, new) = (
      try ModelConfig(json: source.config, path: "a"), try ModelConfig(json: copy.config, path: "b")
    )
    #expect(new.hiddenSize == old.hiddenSize && new.headSize == old.headSize)
    #expect(new.keyHeads == old.keyHeads && new.tieEmbeddings == old.tieEmbeddings)
    #expect(new.rmsEpsilon == old.rmsEpsilon && new.ropeTheta == old.ropeTheta)
    #expect(new.eos == old.eos && new.bos == old.bos)
    #expect(copy.chatTemplate == TinyModel.template)
    #expect(try ModelLicense.identifier(of: copy) == "mit")
    for text in ["the theand 42 ü\n", "<s>and</s>", ""] {
      #expect(try copy.tokenizer.encode(text) == source.tokenizer.encode(text), "\(text)")
    }
    #expect(try copy.tokenizer.bosToken == "<s>" && copy.tokenizer.eosToken == "</s>")
    // Every tensor starts on a multiple of 32 bytes, and a GGUF file goes to GGUF as it is.
    _ = try export(copy, folder["b.gguf"])
    let (first, second) = (try GGUFFile(folder["a.gguf"]), try GGUFFile(folder["b.gguf"]))
    for entry in first.entries {
      #expect(try first.rawBytes(entry.name).elementsEqual(second.rawBytes(entry.name)))
      #expect(Int(bitPattern: try first.rawBytes(entry.name).baseAddress) % 32 == 0)
    }
    #expect(first.metadata["tokenizer.ggml.tokens"] == second.metadata["tokenizer.ggml.tokens"])
  }

  @Test("types: matrices as asked, vectors f32, short rows f16, the output matrix of q4_0 q8_0")
  func types() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"], types: [.f32])
    let source = try ModelFiles.huggingFace(folder["a"])
    for (type, head, body) in [
      (WeightType.f16, WeightType.f16, WeightType.f16), (.bf16, .bf16, .bf16),
      (.q8_0, .q8_0, .q8_0), (.q4_0, .q8_0, .q4_0),
    ] {
      let path = folder["\(type).gguf"]
      _ = try export(source, path, type)
      let file = try GGUFFile(path)
      #expect(file.entry("token_embd.weight")?.type == head)
      #expect(file.entry("blk.1.ffn_down.weight")?.type == body)
      #expect(file.entry("blk.0.attn_norm.weight")?.type == .f32)
    }
    var shapes = TinyModel.shapes
    shapes[9].1 = [32, 40]
    try TinyModel.make(folder["b"], shapes: shapes)
    _ = try export(try .huggingFace(folder["b"]), folder["b.gguf"], .q8_0)
    #expect(try GGUFFile(folder["b.gguf"]).entry("blk.0.ffn_down.weight")?.type == .f16)
  }

  @Test("Llama 3's frequencies become a tensor, a window that GGUF lacks a note")
  func positions() throws {
    let folder = try TemporaryFolder()
    let scaling: [String: Any] = [
      "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 8192,
    ]
    try TinyModel.make(folder["a"], config: ["rope_scaling": scaling, "rope_theta": 500_000.0])
    let source = try ModelFiles.huggingFace(folder["a"])
    _ = try export(source, folder["a.gguf"])
    let factors = try GGUFFile(folder["a.gguf"]).floats("rope_freqs.weight")
    #expect(factors.count == 4 && factors[0] == 1 && factors[3] == 8)
    try TinyModel.make(
      folder["m"], config: ["model_type": "mistral", "sliding_window": 16])
    let summary = try export(try .huggingFace(folder["m"]), folder["m.gguf"])
    #expect(summary.notes.count == 1 && summary.notes[0].contains("beyond 16 tokens"))
    try TinyModel.make(folder["y"], config: ["rope_scaling": ["type": "dynamic", "factor": 2.0]])
    let text = message { _ = try export(try .huggingFace(folder["y"]), folder["y.gguf"]) }
    #expect(text.contains("rope_type \"dynamic\" has no place there"))
  }

  @Test("Gemma's norms are stored as 1 + w; a scale that readers do not take is refused")
  func gemma() throws {
    let folder = try TemporaryFolder()
    let names = [
      "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm",
    ]
    let shapes =
      TinyModel.shapes.filter { !$0.0.contains("post_attention") }
      + (0..<2).flatMap { layer in
        names.map { ("model.layers.\(layer).\($0).weight", [32]) }
      }
    let gemma: [String: Any] = [
      "model_type": "gemma2", "query_pre_attn_scalar": 8, "sliding_window": 16,
      "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
    ]
    try TinyModel.make(folder["g"], types: [.f32], config: gemma, shapes: shapes)
    let source = try ModelFiles.huggingFace(folder["g"])
    _ = try export(source, folder["g.gguf"])
    let file = try GGUFFile(folder["g.gguf"])
    #expect(file.metadata["gemma2.attn_logit_softcapping"] == .float(50))
    #expect(file.metadata["gemma2.attention.sliding_window"] == .int(16))
    for (stored, name) in [
      ("blk.1.post_attention_norm", names[0]), ("blk.1.ffn_norm", names[1]),
      ("blk.1.post_ffw_norm", names[2]),
    ] {
      let expected = try source.weights.floats("model.layers.1.\(name).weight").map { $0 + 1 }
      #expect(try file.floats(stored + ".weight") == expected)
    }
    try TinyModel.make(
      folder["h"], config: gemma.merging(["query_pre_attn_scalar": 24]) { $1 }, shapes: shapes)
    let text = message { _ = try export(try .huggingFace(folder["h"]), folder["h.gguf"]) }
    #expect(text.contains("query_pre_attn_scalar is 24"))
  }

  @Test("what has no place in GGUF is refused by name")
  func refusals() throws {
    let folder = try TemporaryFolder()
    func refusal(_ change: [String: Any], _ more: [(String, [Int])] = []) throws -> String {
      try TinyModel.make(folder["x"], config: change, shapes: TinyModel.shapes + more)
      return message { _ = try export(try .huggingFace(folder["x"]), folder["x.gguf"]) }
    }
    #expect(try refusal(["model_type": "mamba"]).contains("model_type \"mamba\""))
    #expect(
      try refusal([:], [("model.layers.0.mlp.router.weight", [2, 2])]).contains("mlp.router.weight")
    )
    #expect(try refusal(["hidden_act": "gelu"]).contains("the activation is gelu"))
    let yarn: [String: Any] = ["rope_type": "yarn", "factor": 2.0, "truncate": false]
    #expect(try refusal(["rope_scaling": yarn]).contains("truncate"))
    #expect(!FileManager.default.fileExists(atPath: folder["x.gguf"]))
  }

  @Test(
    "real tokenizers keep their ids on the way through GGUF",
    .enabled(if: Golden.folder != nil, Golden.absence))
  func tokenizers() throws {
    let path = try #require(Golden.folder) + "/text/tokenizers/"
    func read(_ name: String) throws -> Tokenizer {
      let file = path + name + ".tokenizer.json"
      return try Tokenizer(
        tokenizerJSON: Data(contentsOf: URL(fileURLWithPath: file)), path: file)
    }
    let tokenizer = try read("smollm2")
    let fields = try tokenizer.ggufFields(rows: 49152)
    #expect(fields.pre == "gpt-2" && fields.tokens.count == 49152 && fields.notes.isEmpty)
    #expect(fields.types.filter { $0 == 3 }.count == 17)
    let copy = try Tokenizer(
      gguf: GGUFVocabulary(
        model: fields.model, pre: fields.pre, tokens: fields.tokens, types: fields.types,
        merges: fields.merges))
    let text = "Hello  wörld, 1234 don't!\n\n\t漢字 👍🏽<|im_end|>"
    #expect(copy.encode(text) == tokenizer.encode(text))
    #expect(copy.digest == tokenizer.digest)
    let few = message { _ = try tokenizer.ggufFields(rows: 100) }
    #expect(few.contains("at most 100, the rows of the embedding"))
  }
}
