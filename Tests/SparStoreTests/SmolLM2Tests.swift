import Foundation
import SparModel
import SparStore
import Testing

/// The real model of the demo: set SPAR_SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf.
@Suite("SmolLM2-135M from GGUF") struct SmolLM2Tests {
  static let path = ProcessInfo.processInfo.environment["SPAR_SMOLLM2"]

  /// Digests of the f32 values that the Python package gguf gives, permutation undone with NumPy.
  @Test(
    "values equal the Python package's bit by bit",
    .enabled(if: path != nil, "set SPAR_SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf"),
    arguments: [
      (
        "model.layers.0.self_attn.q_proj.weight",
        "54b377bbfa2deab945dfdba7fb59e0ca3eb74329358bd1b53b635b3ff37c1a56"
      ),
      (
        "model.layers.29.self_attn.k_proj.weight",
        "8e99b2450d5f3d53731f52790cc82f80b04341e533306bcfee6669ffa3c79921"
      ),
      (
        "model.layers.7.mlp.down_proj.weight",
        "9d3af8b67d13c727ae5ffe470464163b9cac42eb494525392bd3e79c8db73880"
      ),
      (
        "model.norm.weight", "3b87f8e27335e67fc08f159cabfd2d18f205d6c5b225a6f978153552bf01d559"
      ),
    ])
  func values(name: String, digest: String) throws {
    let source = try GGUFLlamaSource(path: try #require(Self.path))
    #expect(source.entries.count == 272)
    var hash = SHA256()
    try source.floats(name).withUnsafeBytes { hash.update($0) }
    #expect(hash.hexDigest() == digest)
  }
}
