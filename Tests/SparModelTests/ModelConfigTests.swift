import Foundation
import SparModel
import Testing

@Suite("config.json of decoders")
struct ModelConfigTests {
  static let base = """
    "hidden_size": 32, "intermediate_size": 24, "num_hidden_layers": 4, "num_attention_heads": 4,
    "vocab_size": 104
    """

  func config(_ fields: String) throws -> ModelConfig {
    try ModelConfig(json: Data("{\(Self.base), \(fields)}".utf8), path: "m")
  }

  func message(_ fields: String) -> String {
    do {
      _ = try config(fields)
      return "(accepted)"
    } catch {
      return "\(error)"
    }
  }

  @Test("what is written back is what was read, but for the type", arguments: GoldenFolder.all)
  func roundTrip(folder: GoldenFolder) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/config.json"))
    let config = try ModelConfig(json: data, path: folder.path)
    let written = try config.json(dtype: "bfloat16")
    func parse(_ data: Data) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    var (before, after) = (try parse(data), try parse(written))
    let spelled = before["dtype"] == nil ? "torch_dtype" : "dtype"
    #expect(after[spelled] as? String == "bfloat16")
    before[spelled] = nil
    after[spelled] = nil
    #expect(before as NSDictionary == after as NSDictionary)
    // Numbers keep their spelling, too.
    let again = try ModelConfig(json: written, path: folder.path).json(dtype: "bfloat16")
    #expect(again == written)
  }

  @Test("fields that nobody knows, and the order of all, survive")
  func unknownFields() throws {
    let text =
      "{\"model_type\": \"llama\", \"zeta\": [1, {\"a\": null}], \(Self.base), \"b\": 1e-05}"
    let config = try ModelConfig(json: Data(text.utf8), path: "m")
    let written = String(decoding: try config.json(), as: UTF8.self)
    #expect(written.contains("\"b\": 1e-05,"))
    #expect(written.split(separator: "\n").dropFirst().first == "  \"model_type\": \"llama\",")
    #expect(written.contains("\"torch_dtype\": \"float32\""))
  }

  @Test("an architecture that is not known is answered with those that are")
  func unknownArchitecture() {
    #expect(
      message("\"model_type\": \"qwen4\"")
        == "m: architecture \"qwen4\" is not known; known: llama, mistral, gemma2, qwen2, qwen3, "
        + "phi3; the nearest is qwen2")
    #expect(message("\"x\": 1").contains("architecture \"(none)\" is not known"))
  }

  @Test(
    "what this build does not do is refused by name",
    arguments: [
      ("llama", "\"rope_scaling\": {\"type\": \"ntk\", \"factor\": 2}", "rope_type: \"ntk\""),
      ("llama", "\"rope_scaling\": {\"type\": \"linear\"}", "rope_scaling.factor: a number"),
      (
        "llama", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 1e300}",
        "is no number of positions"
      ),
      ("llama", "\"partial_rotary_factor\": 0.5", "llama rotates whole heads"),
      ("llama", "\"hidden_act\": \"sillu\"", "the nearest is silu"),
      ("llama", "\"quantization_config\": {\"quant_method\": \"gptq\"}", "packed by gptq"),
      ("llama", "\"num_key_value_heads\": 3", "3 does not divide 4 heads"),
      ("llama", "\"head_dim\": 7", "7 rotated values are not a number of pairs"),
      ("llama", "\"max_position_embeddings\": \"4k\"", "a string, not a number"),
      (
        "llama", "\"rope_parameters\": {\"full_attention\": {\"rope_theta\": 1}}",
        "settings of its own for full_attention"
      ),
      ("qwen2", "\"layer_types\": [\"full_attention\"]", "1 types for 4 layers"),
      (
        "gemma2", "\"use_bidirectional_attention\": true, \"num_key_value_heads\": 4",
        "this build's decoders are causal"
      ),
      ("phi3", "\"attention_bias\": true", "no bias in this build"),
      (
        "phi3", "\"rope_scaling\": {\"type\": \"su\", \"short_factor\": [1], \"long_factor\": [1]}",
        "1 numbers for 4 frequencies"
      ),
    ])
  func refusals(type: String, fields: String, expected: String) {
    let found = message("\"model_type\": \"\(type)\", \(fields)")
    #expect(found.contains(expected), "\(found)")
  }

  @Test("both spellings of rotary settings mean the same")
  func spellings() throws {
    let scaling = "\"factor\": 4.0, \"low_freq_factor\": 1, \"high_freq_factor\": 4"
    let old = try config(
      "\"model_type\": \"llama\", \"rope_theta\": 5e5, \"rope_scaling\": {\"rope_type\": "
        + "\"llama3\", \(scaling), \"original_max_position_embeddings\": 64}")
    let new = try config(
      "\"model_type\": \"llama\", \"rope_parameters\": {\"rope_theta\": 500000, \"rope_type\": "
        + "\"llama3\", \(scaling), \"original_max_position_embeddings\": 64.0}")
    #expect(old.ropeScaling == new.ropeScaling)
    #expect(old.ropeTheta == new.ropeTheta)
    #expect(
      old.ropeScaling
        == .llama3(factor: 4, lowFrequency: 1, highFrequency: 4, originalLength: 64))
  }

  @Test("windows: all layers, every other, the upper ones, as listed, none")
  func windows() throws {
    func windows(_ fields: String) throws -> [Int] { try config(fields).attention.windows }
    let mistral = "\"model_type\": \"mistral\", \"num_key_value_heads\": 2"
    #expect(try windows(mistral) == [4096, 4096, 4096, 4096])
    #expect(try windows(mistral + ", \"sliding_window\": null") == [0, 0, 0, 0])
    #expect(try windows(mistral + ", \"sliding_window\": 0") == [0, 0, 0, 0])
    #expect(message(mistral + ", \"sliding_window\": -4").contains("-4.0 is negative"))
    #expect(try windows("\"model_type\": \"phi3\", \"sliding_window\": 0") == [0, 0, 0, 0])
    let gemma = "\"model_type\": \"gemma2\", \"sliding_window\": 9"
    let bare = "\"model_type\": \"gemma2\", "
    #expect(try windows(bare + "\"sliding_window\": 0") == [0, 0, 0, 0])
    for off in ["0", "0.0", "null"] {
      let model = try config(
        bare + "\"attn_logit_softcapping\": \(off), \"final_logit_softcapping\": \(off)")
      #expect(model.attention.softcap == 0 && model.logitSoftcap == 0)
    }
    #expect(try windows(gemma) == [9, 0, 9, 0])
    let qwen = "\"model_type\": \"qwen2\", \"num_key_value_heads\": 2, \"sliding_window\": 5, "
    #expect(try windows(qwen + "\"max_window_layers\": 0") == [0, 0, 0, 0])
    #expect(
      try windows(qwen + "\"use_sliding_window\": true, \"max_window_layers\": 3") == [0, 0, 0, 5])
    let listed = (0..<4).map { $0 == 1 ? "\"sliding_attention\"" : "\"full_attention\"" }
      .joined(separator: ", ")
    #expect(
      try windows(qwen + "\"use_sliding_window\": true, \"layer_types\": [\(listed)]")
        == [0, 5, 0, 0])
  }

  @Test("published Gemma 2 and Phi-3 configs leave out what their classes say")
  func defaults() throws {
    let gemma = try config("\"model_type\": \"gemma2\"")
    #expect(gemma.tieEmbeddings && gemma.headSize == 256 && gemma.keyHeads == 4)
    #expect(gemma.attention.scale == 1.0 / 16 && gemma.logitSoftcap == 30)
    #expect(gemma.embeddingScale == Double(Float(32.0.squareRoot())))
    let list = "[1, 1, 1, 2]"
    let phi = try config(
      "\"model_type\": \"phi3\", \"max_position_embeddings\": 131072, "
        + "\"original_max_position_embeddings\": 4096, \"rope_scaling\": {\"type\": \"su\", "
        + "\"short_factor\": \(list), \"long_factor\": \(list)}")
    #expect(phi.maxPositions == 4096)
    guard case .longrope(let long) = phi.ropeScaling else {
      Issue.record("\(phi.ropeScaling)")
      return
    }
    #expect(abs(long.amplitude - 1.1902380714238083) < 1e-12)
  }
}
