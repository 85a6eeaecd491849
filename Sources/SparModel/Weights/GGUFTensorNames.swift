/// What the tensors of a GGUF file are called and how they are laid out, against Hugging Face: one
/// table for the reader and for the writer.
///
/// Source: llama.cpp, gguf-py/gguf/tensor_mapping.py and convert_hf_to_gguf.py.
public struct GGUFTensorNames: Sendable {
  /// `general.architecture`.
  public let architecture: String
  /// The rows of the query and key projections are interleaved; see `GGUFHeadOrder`.
  public let interleavesHeads: Bool
  /// RMS norms are stored as 1 + w where Hugging Face stores w.
  public let storesNormsPlusOne: Bool
  private let modules: [String: String]  // of a layer, GGUF's name to Hugging Face's
  private let modulesBack: [String: String]

  private init(
    _ architecture: String, interleavesHeads: Bool = false, storesNormsPlusOne: Bool = false,
    _ modules: [String: String]
  ) {
    self.architecture = architecture
    self.interleavesHeads = interleavesHeads
    self.storesNormsPlusOne = storesNormsPlusOne
    self.modules = modules
    modulesBack = Dictionary(uniqueKeysWithValues: modules.map { ($1, $0) })
  }

  /// Every architecture that can be named, in the order shown to people.
  public static let all = [
    GGUFTensorNames("llama", interleavesHeads: true, attention.merging(gatedMLP) { $1 }),
    GGUFTensorNames("qwen2", attention.merging(gatedMLP) { $1 }),
    GGUFTensorNames("qwen3", attention.merging(gatedMLP) { $1 }),
    GGUFTensorNames(
      "gemma2", storesNormsPlusOne: true,
      attention.merging(gatedMLP) { $1 }.merging([
        "post_attention_norm": "post_attention_layernorm",
        "ffn_norm": "pre_feedforward_layernorm", "post_ffw_norm": "post_feedforward_layernorm",
      ]) { $1 }),
    GGUFTensorNames(
      "phi3",
      [
        "attn_norm": "input_layernorm", "attn_qkv": "self_attn.qkv_proj",
        "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
        "ffn_up": "mlp.gate_up_proj", "ffn_down": "mlp.down_proj",
      ]),
  ]

  public static func named(_ architecture: String) -> GGUFTensorNames? {
    all.first { $0.architecture == architecture }
  }

  private static let attention = [
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
  ]

  private static let gatedMLP = [
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
  ]

  private static let outside = [
    ("token_embd.weight", "model.embed_tokens.weight"),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
  ]

  /// The Hugging Face name; nil for a tensor that Hugging Face models have not and for unknown
  /// names.
  public func huggingFace(_ name: String) -> String? {
    if let found = Self.outside.first(where: { $0.0 == name }) { return found.1 }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), layer >= 0,
      let module = modules[String(parts[2])], parts[3] == "weight" || parts[3] == "bias"
    else { return nil }
    return "model.layers.\(layer).\(module).\(parts[3])"
  }

  /// The GGUF name of a Hugging Face tensor; nil where the architecture has no such tensor.
  public func gguf(_ name: String) -> String? {
    if let found = Self.outside.first(where: { $0.1 == name }) { return found.0 }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 5, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]),
      layer >= 0, let last = parts.last, last == "weight" || last == "bias",
      let module = modulesBack[parts[3..<parts.count - 1].joined(separator: ".")]
    else { return nil }
    return "blk.\(layer).\(module).\(last)"
  }

  /// True for tensors that carry no parameters: factors that follow from the configuration.
  public static func isDerived(_ name: String) -> Bool {
    ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"].contains(name)
  }

  /// True for GGUF's names of the projections whose rows this architecture interleaves.
  public func isInterleaved(_ name: String) -> Bool {
    interleavesHeads && name.hasPrefix("blk.")
      && (name.contains(".attn_q.") || name.contains(".attn_k."))
  }

  /// True for GGUF's names of the norms that this architecture stores as 1 + w.
  public func isNormPlusOne(_ name: String) -> Bool {
    storesNormsPlusOne && name.hasSuffix("norm.weight")
  }
}

/// The order of rows within each head of a query or key projection.
///
/// llama.cpp's converter interleaves the two halves of each head of Llama: its row `h·D + 2i + s`
/// is Hugging Face's row `h·D + s·D/2 + i` (s = 0, 1; i < D/2).
public enum GGUFHeadOrder {
  /// Where a GGUF file keeps row `row` of Hugging Face's order.
  public static func stored(_ row: Int, headSize size: Int) -> Int {
    let (head, within) = (row / size, row % size)
    let (half, i) = (within / (size / 2), within % (size / 2))
    return head * size + 2 * i + half
  }

  /// The row of Hugging Face's order that a GGUF file keeps as row `row`.
  public static func huggingFace(_ row: Int, headSize size: Int) -> Int {
    let (head, within) = (row / size, row % size)
    return head * size + within % 2 * (size / 2) + within / 2
  }
}
