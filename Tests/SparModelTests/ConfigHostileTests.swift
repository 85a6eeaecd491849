import Foundation
import SparModel
import Testing

@Suite("Hostile configurations") struct ConfigHostileTests {
  /// The first was found by the fuzzer in a GGUF file's block_count: a table of 2.8 GB.
  @Test(
    "sizes that no model has are refused by name",
    arguments: [
      ("num_hidden_layers", 343_932_928), ("head_dim", 1 << 40), ("hidden_size", 1 << 52),
      ("vocab_size", 1 << 60), ("num_attention_heads", 1 << 50),
    ])
  func sizes(field: String, value: Int) throws {
    var config: [String: Any] = [
      "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
      "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 100,
    ]
    _ = try ModelConfig(json: JSONSerialization.data(withJSONObject: config), path: "sound")
    config[field] = value
    let data = try JSONSerialization.data(withJSONObject: config)
    #expect(throws: ModelError.self) { try ModelConfig(json: data, path: "hostile") }
  }
}
