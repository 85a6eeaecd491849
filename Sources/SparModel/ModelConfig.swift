import Foundation

/// How positions are stretched beyond the training length.
public enum RopeScaling: Equatable, Sendable {
  case none
  /// Llama 3.1's smooth blend between kept and stretched frequencies.
  case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalLength: Double)
}

/// The shape of a decoder-only transformer, from a Hugging Face config.json.
public struct ModelConfig: Equatable, Sendable {
  public var modelType = "llama"
  public var hiddenSize: Int
  public var intermediateSize: Int
  public var layers: Int
  public var heads: Int
  public var keyHeads: Int
  public var headSize: Int
  public var vocabularySize: Int
  public var rmsEpsilon: Double
  public var ropeTheta: Double
  public var ropeScaling = RopeScaling.none
  public var tieEmbeddings: Bool
  public var maxPositions: Int
  public var bos: Int32?
  /// Every id that ends an answer.
  public var eos: [Int32]

  /// Parameters of the model, tied weights counted once.
  public var parameterCount: Int {
    let attention = hiddenSize * headSize * (2 * heads + 2 * keyHeads)
    let layer = attention + 3 * hiddenSize * intermediateSize + 2 * hiddenSize
    let tables = vocabularySize * hiddenSize * (tieEmbeddings ? 1 : 2)
    return layers * layer + tables + hiddenSize
  }

  /// Reads config.json.  Both the older spelling (`rope_theta`, `rope_scaling`) and that of
  /// transformers 5 (`rope_parameters`) are understood.
  public init(json data: Data, path: String) throws {
    guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw ModelError(.config(field: "(all)", problem: "is not a JSON object"), path: path)
    }
    func integer(_ name: String) throws -> Int {
      guard let value = object[name] as? Int else {
        throw ModelError(.config(field: name, problem: "an integer is needed"), path: path)
      }
      guard value > 0 else {
        throw ModelError(.config(field: name, problem: "\(value) is not positive"), path: path)
      }
      return value
    }
    modelType = object["model_type"] as? String ?? "(none)"
    hiddenSize = try integer("hidden_size")
    intermediateSize = try integer("intermediate_size")
    layers = try integer("num_hidden_layers")
    heads = try integer("num_attention_heads")
    keyHeads = object["num_key_value_heads"] == nil ? heads : try integer("num_key_value_heads")
    headSize = object["head_dim"] is Int ? try integer("head_dim") : hiddenSize / heads
    vocabularySize = try integer("vocab_size")
    rmsEpsilon = object["rms_norm_eps"] as? Double ?? 1e-6
    tieEmbeddings = object["tie_word_embeddings"] as? Bool ?? false
    maxPositions = object["max_position_embeddings"] as? Int ?? 2048
    bos = (object["bos_token_id"] as? Int).map(Int32.init)
    eos = Self.ids(object["eos_token_id"])
    let rope = object["rope_parameters"] as? [String: Any] ?? object
    ropeTheta = rope["rope_theta"] as? Double ?? object["rope_theta"] as? Double ?? 10_000
    let scaling =
      object["rope_parameters"] as? [String: Any] ?? object["rope_scaling"] as? [String: Any]
    ropeScaling = try Self.scaling(scaling ?? [:], path: path)
    guard heads % keyHeads == 0 else {
      throw ModelError(
        .config(
          field: "num_key_value_heads", problem: "\(keyHeads) does not divide \(heads) heads"),
        path: path)
    }
  }

  static func ids(_ value: Any?) -> [Int32] {
    if let one = value as? Int { return [Int32(one)] }
    return (value as? [Int] ?? []).map(Int32.init)
  }

  private static func scaling(_ object: [String: Any], path: String) throws -> RopeScaling {
    let kind = object["rope_type"] as? String ?? object["type"] as? String ?? "default"
    switch kind {
    case "default": return .none
    case "llama3":
      return .llama3(
        factor: object["factor"] as? Double ?? 8,
        lowFrequency: object["low_freq_factor"] as? Double ?? 1,
        highFrequency: object["high_freq_factor"] as? Double ?? 4,
        originalLength: object["original_max_position_embeddings"] as? Double ?? 8192)
    default:
      throw ModelError(
        .config(field: "rope_type", problem: "\"\(kind)\" is not known; known: default, llama3"),
        path: path)
    }
  }

  /// config.json as Hugging Face transformers reads it.
  public func json(dtype: String = "float32") throws -> Data {
    var object: [String: Any] = [
      "architectures": ["LlamaForCausalLM"], "model_type": modelType, "hidden_act": "silu",
      "hidden_size": hiddenSize, "intermediate_size": intermediateSize,
      "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": keyHeads,
      "head_dim": headSize, "vocab_size": vocabularySize, "rms_norm_eps": rmsEpsilon,
      "rope_theta": ropeTheta, "tie_word_embeddings": tieEmbeddings,
      "max_position_embeddings": maxPositions, "attention_bias": false, "mlp_bias": false,
      "torch_dtype": dtype,
    ]
    if let bos { object["bos_token_id"] = Int(bos) }
    if let first = eos.first {
      object["eos_token_id"] = eos.count == 1 ? Int(first) : eos.map(Int.init)
    }
    if case .llama3(let factor, let low, let high, let length) = ropeScaling {
      object["rope_scaling"] = [
        "rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high,
        "original_max_position_embeddings": Int(length),
      ]
    }
    return try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
  }
}
