/// Tensor names of GGUF files of the Llama family, and what Hugging Face calls them.
///
/// Source: llama.cpp, gguf-py/gguf/tensor_mapping.py and convert_hf_to_gguf.py.
public enum GGUFLlamaNames {
  /// Architectures (`general.architecture`) whose tensors this mapping covers.
  public static let architectures: Set<String> = ["llama", "qwen2", "qwen3"]

  /// The Hugging Face name; nil for a tensor that Hugging Face models have not (`rope_freqs`, which
  /// holds factors that follow from the configuration) and for unknown names.
  public static func huggingFace(_ name: String) -> String? {
    switch name {
    case "token_embd.weight": return "model.embed_tokens.weight"
    case "output_norm.weight": return "model.norm.weight"
    case "output.weight": return "lm_head.weight"
    default: break
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), layer >= 0,
      let module = modules[String(parts[2])], parts[3] == "weight" || parts[3] == "bias"
    else { return nil }
    return "model.layers.\(layer).\(module).\(parts[3])"
  }

  /// True for tensors that carry no parameters.
  static func isIgnored(_ name: String) -> Bool { name == "rope_freqs.weight" }

  /// True for the projections whose rows llama.cpp reorders for Llama.
  static func isPermuted(_ name: String) -> Bool {
    name.hasPrefix("blk.") && (name.contains(".attn_q.") || name.contains(".attn_k."))
  }

  private static let modules = [
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
  ]
}
